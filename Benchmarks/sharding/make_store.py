"""Makes a token store of any size in seconds: one real segment, which all others are hard links of.

    make_store.py FOLDER --segments 1000 --documents 1000000 [--mean 900] [--vocabulary 50257] [--seed 1]

The document records are real (lengths lognormal, as in the reference of the token store), the token file is sparse: ids 0. Hashes
of tokens are made up, so `sluice verify` has nothing to say about such a store; views, packs, exports, `where` and `show` have all
they need. Needs numpy; 10^9 documents take 32 MB of disk.
"""
import argparse
import ctypes
import ctypes.util
import hashlib
import json
import os

import numpy

FRAME = 1024


def zstd(data):
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_compress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(len(data) + len(data) // 200 + 1024)
    size = library.ZSTD_compress(room, ctypes.c_size_t(len(room)), data, ctypes.c_size_t(len(data)), 3)
    return room.raw[:size]


def lengths(count, mean, seed):
    """Lognormal, median about 0.55 of the mean, at least one token."""
    sigma = 1.1
    values = numpy.random.default_rng(seed).lognormal(numpy.log(mean) - sigma * sigma / 2, sigma, count)
    return numpy.maximum(1, values).astype(numpy.uint64)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "xxh64": "0" * 16}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--documents", type=int, default=1_000_000, help="of a segment")
    parser.add_argument("--mean", type=float, default=900)
    parser.add_argument("--vocabulary", type=int, default=50257)
    parser.add_argument("--sources", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    train = os.path.join(options.folder, "train")
    os.makedirs(train)
    width = 2 if options.vocabulary <= 65536 else 4
    sizes = lengths(options.documents, options.mean, options.seed)
    ends = numpy.cumsum(sizes)
    tokens = int(ends[-1])
    if tokens * width >= 1 << 31:
        raise SystemExit("a segment of %d bytes is larger than 2 GiB - 1: fewer --documents" % (tokens * width))
    records = numpy.zeros((options.documents, 4), "<u8")
    records[:, 0] = ends
    records[:, 1] = numpy.arange(options.documents)
    source = numpy.arange(options.documents) % options.sources
    records[:, 2] = source | 1 << 32
    records[:, 3] = numpy.arange(options.documents)
    files = {"doc": write(os.path.join(train, "seg-00000.doc"), records.tobytes())}
    frames, offsets = bytearray(), []
    for first in range(0, options.documents, FRAME):
        offsets.append(len(frames))
        frames += zstd(b"".join(
            b'{"id":"crawl/a.warc.gz/%d","url":"https://example.org/%d","dump":"crawl/a.warc.gz","offset":%d,"record_id":null}\n'
            % (n, n, n) for n in range(first, min(first + FRAME, options.documents))))
    files["origin.zst"] = write(os.path.join(train, "seg-00000.origin.zst"), bytes(frames))
    files["origin.idx"] = write(
        os.path.join(train, "seg-00000.origin.idx"), numpy.array(offsets + [len(frames)], "<u8").tobytes())
    with open(os.path.join(train, "seg-00000.tok"), "wb") as f:
        f.truncate(tokens * width)
    files["tok"] = {"bytes": tokens * width, "sha256": "0" * 64, "xxh64": "0" * 16}
    histogram = numpy.bincount(numpy.floor(numpy.log2(sizes.astype(float))).astype(int)).tolist()
    segments = []
    for number in range(options.segments):
        name = "seg-%05d" % number
        for suffix in files if number else ():
            os.link(os.path.join(train, "seg-00000." + suffix), os.path.join(train, name + "." + suffix))
        segments.append({
            "name": name, "tokens": tokens, "documents": options.documents, "min_id": 0, "max_id": 0, "files": files,
            "source_tokens": [int(sizes[source == s].sum()) for s in range(options.sources)],
            "length_histogram": histogram})
    manifest = {
        "format": "sluice-tokens/1",
        "tokenizer": {"name": "generated", "sha256": "0" * 64, "vocabulary": options.vocabulary,
                      "eos": options.vocabulary - 1, "bos": None, "policy": "append-eos"},
        "dtype": "u16" if width == 2 else "u32", "order": {"kind": "input"},
        "sources": ["source-%d" % n for n in range(options.sources)], "languages": ["unknown", "en"],
        "parts": [{"name": "part-00000.jsonl.zst", "bytes": 0, "sha256": "0" * 64}],
        "holdout": {"seed": 0, "splits": []},
        "splits": {"train": {"tokens": tokens * options.segments, "documents": options.documents * options.segments,
                             "segments": segments}}}
    data = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    write(os.path.join(options.folder, "manifest.json"), data)
    print("%d documents, %d tokens in %d segments" % (
        options.documents * options.segments, tokens * options.segments, options.segments))


if __name__ == "__main__":
    main()
