"""Writing, verifying, shuffling and linking token stores: bytes of tokens per processor second.

    store.py --sluice .build/release/sluice --temp FOLDER [--bytes 1000000000] [--mean 900] [--memory 256MiB]

Makes two stores of random u16 ids with true hashes, then runs verify (level 2 and 1), merge (shuffled, under the memory; and
--order input) and a takedown of one document. Needs numpy and xxhash, and six times the bytes on disk.
"""
import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import time

import numpy
import xxhash

from make_store import FRAME, lengths, zstd

VOCABULARY = 50257


def entry(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "xxh64": xxhash.xxh64_hexdigest(data)}


def make(folder, name, size, mean, seed):
    train = os.path.join(folder, "train")
    os.makedirs(train)
    sizes = lengths(int(size / 2 / mean * 1.2) + 10, mean, seed)
    sizes = sizes[:int(numpy.searchsorted(numpy.cumsum(sizes), size // 2))]
    ends = numpy.cumsum(sizes).astype(numpy.int64)
    count = len(sizes)
    ids = numpy.random.default_rng(seed).integers(0, VOCABULARY - 1, int(ends[-1]), dtype=numpy.uint16)
    ids[ends - 1] = VOCABULARY - 1
    data = ids.tobytes()
    records = numpy.zeros((count, 4), "<u8")
    records[:, 0] = ends
    starts = numpy.concatenate([[0], ends[:-1]])
    view = memoryview(data)
    records[:, 1] = [xxhash.xxh64_intdigest(view[2 * a:2 * b]) for a, b in zip(starts.tolist(), ends.tolist())]
    records[:, 3] = numpy.arange(count)
    frames, offsets = bytearray(), []
    for first in range(0, count, FRAME):
        offsets.append(len(frames))
        frames += zstd(b"".join(
            b'{"id":"%s/%d","url":"https://example.org/%d","dump":"crawl/a.warc.gz","offset":%d,"record_id":null}\n'
            % (name.encode(), n, n, n * 977) for n in range(first, min(first + FRAME, count))))
    path = os.path.join(train, "seg-00000.")
    files = {
        "tok": entry(path + "tok", data), "doc": entry(path + "doc", records.tobytes()),
        "origin.zst": entry(path + "origin.zst", bytes(frames)),
        "origin.idx": entry(path + "origin.idx", numpy.array(offsets + [len(frames)], "<u8").tobytes()),
    }
    histogram = numpy.bincount(numpy.floor(numpy.log2(sizes.astype(float))).astype(int)).tolist()
    tokens = int(ends[-1])
    segment = {
        "name": "seg-00000", "tokens": tokens, "documents": count, "min_id": int(ids.min()), "max_id": int(ids.max()),
        "files": files, "source_tokens": [tokens], "length_histogram": histogram,
    }
    manifest = {
        "format": "sluice-tokens/1", "dtype": "u16", "order": {"kind": "input"}, "sources": [name], "languages": ["unknown"],
        "tokenizer": {"name": "bench", "sha256": "0" * 64, "vocabulary": VOCABULARY, "eos": VOCABULARY - 1, "bos": None,
                      "policy": "append-eos"},
        "parts": [{"name": name + ".jsonl", "bytes": 1, "sha256": "0" * 64}], "holdout": {"seed": 0, "splits": []},
        "splits": {"train": {"tokens": tokens, "documents": count, "segments": [segment]}},
    }
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    with open(os.path.join(folder, "manifest.json"), "wb") as f:
        f.write(text)
    with open(os.path.join(folder, "build.json"), "w") as f:
        json.dump({"format": "sluice-build/1", "fingerprint": "sha256:" + hashlib.sha256(text).hexdigest()}, f)
    return 2 * tokens, count


def run(label, size, *words):
    """Processor and wall seconds and peak memory of a command, and bytes of tokens per processor second."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    if status:
        raise SystemExit("%s: exit %d" % (" ".join(words), status >> 8))
    print("| %s | %.2f | %.2f | %.2f | %.2f | %d |" % (
        label, usage.ru_utime, usage.ru_stime, wall, size / 1e9 / cpu, usage.ru_maxrss // 1024), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--temp", required=True)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--mean", type=float, default=900)
    parser.add_argument("--memory", default="256MiB")
    options = parser.parse_args()
    temp = os.path.join(options.temp, "store-bench")
    shutil.rmtree(temp, ignore_errors=True)
    a, b, new = (os.path.join(temp, name) for name in ("a", "b", "new"))
    # In processes of their own: the peak of a child counts from what its parent held when it was made.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        size, documents = pool.apply(make, (a, "a", options.bytes, options.mean, 1))
        more, others = pool.apply(make, (b, "b", options.bytes, options.mean, 2))
    print("%.2f + %.2f GB of tokens, %d + %d documents\n" % (size / 1e9, more / 1e9, documents, others))
    print("| command | user s | system s | wall s | GB/s of processor | peak MiB |\n|---|---|---|---|---|---|")
    sluice = options.sluice
    run("verify --level 1", size, sluice, "verify", a, "--level", "1")
    run("verify --level 2", size, sluice, "verify", a)
    merge = (sluice, "shard", "merge", a, b, "-o", new, "-q", "--restart")
    run("merge, shuffled, --memory " + options.memory, size + more, *merge, "--memory", options.memory)
    run("merge, shuffled, in memory", size + more, *merge, "--memory", "16GiB")
    run("verify --level 2, with sums", size + more, sluice, "verify", new)
    run("merge --order input", size + more, *merge, "--order", "input")
    with open(os.path.join(temp, "ids"), "w") as f:
        f.write("a/5\n")
    shutil.rmtree(new)
    run("takedown of one document", size, sluice, "shard", a, "--without", os.path.join(temp, "ids"), "-o", new, "-q")
    shutil.rmtree(temp)


if __name__ == "__main__":
    main()
