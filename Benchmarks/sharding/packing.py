#!/usr/bin/env python3
"""Measures best-fit packing: padding, documents cut, documents per second and core, peak memory.

    packing.py --sluice .build/release/sluice --store STORE [--temp FOLDER] [--huge 100000000]

STORE is a token store of real documents; only its document records are read. Stores of documents whose lengths are drawn
from them (seeded) are made in a temporary folder: document records and a manifest, no tokens, since packing reads none.
In the largest one the record files are names of one file. Only Python's own library is needed.
"""
import argparse, array, hashlib, json, os, random, shutil, struct, sys, tempfile

ZERO64, ZERO16 = "0" * 64, "0" * 16


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def lengths_of(store, split="train"):
    """Tokens of each document of each segment."""
    manifest = json.load(open(os.path.join(store, "manifest.json")))
    segments = []
    for segment in manifest["splits"][split]["segments"]:
        words = array.array("Q")
        words.frombytes(open(os.path.join(store, split, segment["name"] + ".doc"), "rb").read())
        ends = [0] + list(words[::4])
        segments.append([b - a for a, b in zip(ends, ends[1:])])
    return segments


def make_store(folder, segments, copies=1):
    """A store of document records: segments of these lengths, `copies` times; the files of copies are hard links."""
    os.makedirs(os.path.join(folder, "train"))
    entries = []
    for copy in range(copies):
        for number, lengths in enumerate(segments):
            name = "seg-%05d" % len(entries)
            path = os.path.join(folder, "train", name + ".doc")
            if copy == 0:
                end = 0
                with open(path, "wb") as file:
                    for document, length in enumerate(lengths):
                        end += length
                        file.write(struct.pack("<QQIIQ", end, 0, 0, 0, document))
                entry = {"tokens": end, "documents": len(lengths), "min_id": 0, "max_id": 1,
                         "source_tokens": [end], "length_histogram": [],
                         "files": {"tok": {"bytes": 2 * end, "sha256": ZERO64, "xxh64": ZERO16}}}
                digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
                entry["files"]["doc"] = {"bytes": 32 * len(lengths), "sha256": digest, "xxh64": ZERO16}
                for suffix in ("origin.idx", "origin.zst"):
                    entry["files"][suffix] = {"bytes": 0, "sha256": ZERO64, "xxh64": ZERO16}
            else:
                os.link(os.path.join(folder, "train", "seg-%05d.doc" % number), path)
                entry = dict(entries[number])
            entries.append(dict(entry, name=name))
    total = {"tokens": sum(e["tokens"] for e in entries), "documents": sum(e["documents"] for e in entries)}
    manifest = {
        "format": "sluice-tokens/1", "dtype": "u16", "order": {"kind": "input"}, "sources": ["generated"],
        "languages": ["unknown"], "parts": [], "holdout": {"seed": 0, "splits": []},
        "tokenizer": {"name": "generated", "sha256": ZERO64, "vocabulary": 50000, "eos": 0, "bos": None,
                      "policy": "append-eos"},
        "splits": {"train": dict(total, segments=entries)}}
    with open(os.path.join(folder, "manifest.json"), "wb") as file:
        file.write(canonical(manifest))


class Runner:
    """Runs commands from a process of its own, started while this one is small: Linux counts the memory of the process
    that forks to the peak of its child."""

    def __init__(self):
        (self.answers, out), (inp, self.requests) = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(self.answers), os.close(self.requests)
            with os.fdopen(inp) as lines:
                for line in lines:
                    os.write(out, (json.dumps(self.serve(json.loads(line))) + "\n").encode())
            os._exit(0)
        os.close(out), os.close(inp)
        self.answers = os.fdopen(self.answers)

    @staticmethod
    def serve(arguments):
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.execv(arguments[0], arguments)
        _, status, usage = os.wait4(pid, 0)
        return status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def __call__(self, arguments):
        """Processor seconds (user and system; the machine may be shared, so no wall seconds), and peak memory in MiB."""
        os.write(self.requests, (json.dumps(arguments) + "\n").encode())
        status, seconds, memory = json.loads(self.answers.readline())
        if status != 0:
            sys.exit("failed: " + " ".join(arguments))
        return seconds, memory


def cut_documents(store, context, manifest):
    """Documents that fit a sequence and lie in more than one piece, by the index itself."""
    segments, cut = lengths_of(store), 0
    for unit in manifest["units"]:
        first = unit["first_segment"]
        lengths = [l for segment in segments[first:first + unit["segments"]] for l in segment]
        words = array.array("I")
        path = os.path.join(store, "train", "pack-%d" % context, unit["name"] + ".pack")
        words.frombytes(open(path, "rb").read()[16 + 4 * (unit["bins"] + 1):])
        covered = array.array("Q", bytes(8 * len(lengths)))
        for document, offset, length in zip(words[0::3], words[1::3], words[2::3]):
            if offset != covered[document]:
                sys.exit("a token is read twice or not at all")
            covered[document] += length
            if lengths[document] <= context and length != lengths[document]:
                cut += 1
        if list(covered) != lengths:
            sys.exit("a token is not read")
    return cut


def measure(run, sluice, store, context, label, repeats, check):
    """One row: the command that makes the index, less the same command once it is there."""
    command = [sluice, "shard", store, "--gpus", "8", "--context", str(context), "--packing", "best-fit", "-q",
               "--workers", "1"]
    folder, best, peak, rest = os.path.join(store, "train", "pack-%d" % context), None, 0, None
    for _ in range(repeats):
        shutil.rmtree(folder, ignore_errors=True)
        seconds, memory = run(command)
        best, peak = min(best or seconds, seconds), max(peak, memory)
        seconds, _ = run(command)
        rest = min(rest or seconds, seconds)
    manifest = json.load(open(os.path.join(folder, "manifest.json")))
    bins = sum(unit["bins"] for unit in manifest["units"])
    padding = sum(unit["padding"] for unit in manifest["units"])
    documents = json.load(open(os.path.join(store, "manifest.json")))["splits"]["train"]["documents"]
    cut = cut_documents(store, context, manifest) if check else "-"
    share = 100 * padding / (bins * context)
    rate = documents / max(best - rest, 1e-3) / 1e6
    print(f"| {label} | {context} | {documents:,} | {len(manifest['units'])} | {bins:,} | {share:.4f} % | {cut} "
          f"| {best:.2f} | {rate:.1f} | {peak:.0f} |", flush=True)
    shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--store", required=True, help="token store of real documents")
    parser.add_argument("--temp", default=None)
    parser.add_argument("--huge", type=int, default=100_000_000, help="documents of the largest store, 0: none")
    options = parser.parse_args()
    run = Runner()
    real = lengths_of(options.store)
    every = [length for segment in real for length in segment]
    draw = random.Random(1)
    print("| documents | C | number | units | sequences | padding | cut though they fit | CPU s | M documents/s | peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.temp) as temp:
        def folder(name):
            return os.path.join(temp, name)
        make_store(folder("real"), real)
        make_store(folder("drawn"), [draw.choices(every, k=100_000)])
        make_store(folder("million"), [draw.choices(every, k=1_000_000)])
        # Short documents: as many as a segment can hold of them, to see the memory per document of one unit.
        make_store(folder("short"), [draw.choices(range(1, 200), k=10_000_000)])
        for context in (2048, 4096):
            measure(run, options.sluice, folder("real"), context, "real", 5, True)
            measure(run, options.sluice, folder("drawn"), context, "drawn from them", 5, True)
            measure(run, options.sluice, folder("million"), context, "drawn, one segment", 3, False)
        measure(run, options.sluice, folder("short"), 2048, "1 to 199 tokens, one segment", 1, False)
        if options.huge:
            # 2^29 ids of u16 fill a segment of 1 GiB.
            share = max(1, (1 << 29) * len(every) // sum(every))
            make_store(folder("huge"), [draw.choices(every, k=share)], -(-options.huge // share))
            measure(run, options.sluice, folder("huge"), 4096, "drawn, segments of 1 GiB", 1, False)


main()
