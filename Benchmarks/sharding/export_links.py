#!/usr/bin/env python3
"""Time of the linking exports of a large store: export_links.py --sluice BINARY --temp FOLDER [--gigabytes 10] [--dtype u16|u32] [--runs 3]

The store is made up: token files are sparse (zeros that take no room), document records, origins and manifest are whole and agree with
one another, so that `sluice verify --level 1` finds nothing wrong. All segments have the same content: it is made once and copied.
Prints a Markdown table; `budget` is 1 s for all four exports together plus 50 ns per document and sidecar file.
"""
import argparse
import array
import ctypes
import ctypes.util
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

SEGMENT_BYTES = 1_000_000_000
FRAME_DOCUMENTS = 1024
FORMATS = ["megatron", "datatrove", "olmo", "nanogpt"]


def zstd(data):
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(library.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    size = library.ZSTD_compress(out, ctypes.c_size_t(len(out)), data, ctypes.c_size_t(len(data)), 3)
    return out.raw[:size]


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def describe(path):
    """As in a manifest; XXH64 is not in Python's library, and exports do not look at it."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 22):
            sha.update(block)
    return {"bytes": os.path.getsize(path), "sha256": sha.hexdigest(), "xxh64": "0" * 16}


def make_segment(folder, width, draw):
    """One segment: lengths are lognormal with mean 900, as of the crawl in the reference. Returns its entry."""
    limit = SEGMENT_BYTES // width
    ends, end = array.array("Q"), 0
    while True:
        length = min(100_000, 1 + int(draw.lognormvariate(6.2, 1.1)))
        if end + length > limit:
            break
        end += length
        ends.append(end)
    stem = os.path.join(folder, "seg-00000")
    with open(stem + ".tok", "wb") as file:
        file.truncate(end * width)
    records = array.array("Q")
    for number, end in enumerate(ends):
        records.extend((end, 0, 0, number))
    write(stem + ".doc", records.tobytes())
    offsets, frames = array.array("Q"), b""
    with open(stem + ".origin.zst", "wb") as file:
        for first in range(0, len(ends), FRAME_DOCUMENTS):
            offsets.append(file.tell())
            lines = []
            for number in range(first, min(first + FRAME_DOCUMENTS, len(ends))):
                at = draw.randrange(1 << 30)
                dump = "crawl-2024-10/segments/%05d.warc.gz" % draw.randrange(1000)
                lines.append(
                    '{"id":"%s/%d","url":"https://www.example%d.org/%x","dump":"%s","offset":%d,"record_id":null}\n'
                    % (dump, at, at % 997, draw.getrandbits(32), dump, at)
                )
            file.write(zstd("".join(lines).encode()))
        offsets.append(file.tell())
    write(stem + ".origin.idx", offsets.tobytes())
    return {
        "tokens": end, "documents": len(ends), "min_id": 0, "max_id": 0, "source_tokens": [end], "length_histogram": [0] * 20,
        "files": {name: describe(stem + "." + name) for name in ("doc", "origin.idx", "origin.zst", "tok")},
    }


def make_store(folder, gigabytes, width):
    train = os.path.join(folder, "train")
    os.makedirs(train)
    entry = make_segment(train, width, random.Random(1))
    segments = []
    for number in range(max(1, gigabytes)):
        name = "seg-%05d" % number
        segments.append(dict(entry, name=name))
        if number:
            for kind in entry["files"]:
                first, path = (os.path.join(train, "%s.%s" % (stem, kind)) for stem in ("seg-00000", name))
                if kind == "tok":
                    with open(path, "wb") as file:
                        file.truncate(os.path.getsize(first))
                else:
                    shutil.copyfile(first, path)
    documents, tokens = (sum(segment[key] for segment in segments) for key in ("documents", "tokens"))
    manifest = {
        "format": "sluice-tokens/1", "dtype": "u16" if width == 2 else "u32", "sources": ["made-up"], "languages": ["unknown"],
        "tokenizer": {"name": "made-up", "sha256": "0" * 64, "vocabulary": 50_257 if width == 2 else 128_256, "eos": 0, "bos": None,
                      "policy": "append-eos"},
        "order": {"kind": "input"}, "holdout": {"seed": 0, "splits": []},
        "parts": [{"name": "part-00000.jsonl.zst", "bytes": 1, "sha256": "0" * 64}],
        "splits": {"train": {"tokens": tokens, "documents": documents, "segments": segments}},
    }
    write(os.path.join(folder, "manifest.json"), json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode())
    os.sync()
    return documents, tokens


def measure(argv):
    began = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(error)
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--temp", required=True)
    parser.add_argument("--gigabytes", type=int, default=10)
    parser.add_argument("--dtype", choices=["u16", "u32"], default="u16")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    folder = os.path.join(args.temp, "sparse-%s-%d" % (args.dtype, args.gigabytes))
    if not os.path.exists(os.path.join(folder, "store", "manifest.json")):
        make_store(os.path.join(folder, "store"), args.gigabytes, 2 if args.dtype == "u16" else 4)
    with open(os.path.join(folder, "store", "manifest.json")) as file:
        train = json.load(file)["splits"]["train"]
    documents, tokens = train["documents"], train["tokens"]
    store = os.path.join(folder, "store", "train", "seg-00000.tok")
    print("%d documents, %.1f GB of tokens in %d segments" % (
        documents, tokens * (2 if args.dtype == "u16" else 4) / 1e9, len(train["segments"])))
    print("\n| format | best wall s | median wall s | processor s | ns per document | peak MB |\n|---|---|---|---|---|---|")
    total = sidecars = 0
    for format in FORMATS:
        if format == "nanogpt" and args.dtype == "u32":
            continue
        times = []
        for _ in range(args.runs):
            out = os.path.join(folder, "out-" + format)
            shutil.rmtree(out, ignore_errors=True)
            os.sync()
            times.append(measure([args.sluice, "export", os.path.join(folder, "store"), "--format", format, "-o", out, "--quiet"]))
            linked = sorted(os.listdir(out))
            if not any(os.path.samefile(os.path.join(out, name), store) for name in linked):
                sys.exit("%s: the tokens were not linked" % format)
        best, middle = min(times), sorted(times)[len(times) // 2]
        total += best[0]
        sidecars += format != "nanogpt"
        print("| %s | %.2f | %.2f | %.2f | %.0f | %.0f |" % (
            format, best[0], middle[0], best[1], best[0] / documents * 1e9, best[2]))
    print("| **all** | **%.2f** | budget %.2f |  | %.0f |  |" % (
        total, 1 + 50e-9 * documents * sidecars, total / documents * 1e9))


main()
