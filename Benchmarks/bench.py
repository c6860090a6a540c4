#!/usr/bin/env python3
"""sluice and its peers in one run, as Markdown tables: bench.py --shared S --folder F --sluice BINARY [--only …] [--runs N]

The harness, the peers and the inputs are those of S/bench (peers.py, prepare.sh F makes the environments and inputs); this file only says
which of our command lines stand beside which of their rows, adds rows for two cores, and prints the result with the ratios.
"""
import argparse
import importlib.util
import json
import os
import sys
import tempfile

TOKENIZER = "--tokenizer {data}/gpt2_tokenizer.json"


def row(group, source, beside, command, cpus=1):
    return dict(group=group, source=source, beside=beside, command=command, cpus=cpus)


def on_two(name):
    """The same command on two cores; its peers are named once, beside the row for one core."""
    first = ROWS[name]
    return dict(first, beside=[], cpus=2, command=first["command"].replace("--workers 1", "--workers 2"))


ROWS = {
    "sluice-warc": row("warc", "dump", ["warc-warcio-http", "warc-fastwarc-http"], "{sluice} inspect {data}/bench.warc.gz --json"),
    "sluice-extract": row("html", "slice", ["extract-script", "html-resiliparse-main", "html-trafilatura1-precision"],
                          "{sluice} extract {data}/slice.warc.gz -o {out}/x --workers 1 --quiet"),
    "sluice-filter": row("filter", "few", ["filter-datatrove-chain"],
                         "{sluice} filter {data}/few.jsonl --recipe web -o {out}/x --workers 1 --quiet"),
    "sluice-exact": row("dedup", "docs", ["dedup-datatrove-exact", "dedup-python-set"],
                        "{sluice} dedup --exact {data}/docs.jsonl -o {out}/x --workers 1 --quiet"),
    "sluice-minhash": row("dedup", "docs", ["dedup-datatrove-minhash", "dedup-rensa-r"],
                          "{sluice} dedup --minhash {data}/docs.jsonl -o {out}/x --workers 1 --quiet"),
    "sluice-train": row("train", "mix", ["train-hf-1", "train-rustbpe-1"],
                        "{sluice} train {data}/mix.jsonl --vocab-size 32000 --pattern gpt2 -o {out}/x --workers 1 --quiet"),
    "sluice-tokenize": row("tokenize", "mix", ["tok-gigatoken-file", "tok-tiktoken-gpt2-1"],
                           "{sluice} tokenize {data}/mix.jsonl " + TOKENIZER + " -o {out}/x --workers 1 --quiet"),
    "sluice-store": row("store", "mix8", ["store-datatrove-ds", "store-datatrove-megatron"],
                        "{sluice} tokenize {data}/mix8.jsonl " + TOKENIZER + " -o {out}/x --workers 1 --quiet"
                        " && {sluice} shard {out}/x --gpus 8 --context 2048 -o {out}/view.json --quiet"),
    "sluice-e2e": row("e2e", "dump", ["e2e-datatrove"],
                      "{sluice} extract {data}/part-0*.warc.gz --workers 2 --quiet | {sluice} filter --recipe web --workers 2 --quiet"
                      " | {sluice} dedup --workers 2 --quiet -o {out}/clean"
                      " && {sluice} tokenize {out}/clean " + TOKENIZER + " --workers 2 --quiet -o {out}/store", cpus=2),
}
for _name in ("extract", "filter", "exact", "minhash", "train", "tokenize"):
    ROWS["sluice-%s-2" % _name] = on_two("sluice-" + _name)


def load(shared):
    path = os.path.join(shared, "bench", "peers.py")
    if not os.path.exists(path):
        sys.exit("bench.py: %s is not here; set SLUICE_SHARED. Nothing was measured." % path)
    spec = importlib.util.spec_from_file_location("peers", path)
    peers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peers)
    return peers


def sizes(peers, original):
    """Inputs by name: (documents, bytes). Of dumps, every record counts as a document; mix8 is what the store rows read."""
    def count(context):
        found = original(context)
        for name, path in (("dump", "bench.warc.gz"), ("slice", "slice.warc.gz")):
            found[name] = (len(peers.members(context.path(path))), found[name][1])
        with open(context.path("mix8.jsonl"), "rb") as f:
            texts = [len(json.loads(line)["text"].encode()) for line in f]
        found["mix8"] = (len(texts), sum(texts))
        return found
    return count


def tables(lines):
    rows = [r for r in map(json.loads, lines) if r["kind"] == "row"]
    good = {r["name"]: r for r in rows if "error" not in r}
    print("\n| row | cores | MB | best s | median s | wall s | MB/s | documents/s | peak MB |\n|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        if "error" in r:
            print("| %s | | | failed: %s | | | | | |" % (r["name"], r["error"].replace("|", "/")))
        else:
            print("| %s | %d | %.1f | %.2f | %.2f | %.2f | %.1f | %.0f | %d |" % (
                ("**%s**" if r["name"].startswith("sluice") else "%s") % r["name"], r["cpus"], r["MB"], r["best"], r["median"], r["wall"],
                r["MBs"], r["docs_s"], r["rss"]))
    print("\n| ours | beside | ratio, best | ratio, median |\n|---|---|---|---|")
    for name, ours in ROWS.items():
        for peer in ours["beside"]:
            if name in good and peer in good:
                # MB per processor second: a peer that reads another part of the input is compared by rate.
                a, b = good[name], good[peer]
                print("| %s | %s | %.1f | %.1f |" % (name, peer, a["MBs"] / b["MBs"], (a["MB"] / a["median"]) / (b["MB"] / b["median"])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--only", default="sluice,warc-fastwarc-http,warc-warcio-http,extract-script,html-resiliparse-main,html-trafilatura1-precision,"
                        "filter-datatrove-chain,dedup-datatrove,dedup-python-set,dedup-rensa-r,train-hf-1,train-rustbpe-1,tok-gigatoken-file,"
                        "tok-tiktoken-gpt2-1,store-datatrove-ds,store-datatrove-megatron,e2e-datatrove")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    peers = load(options.shared)
    peers.SLUICE = ROWS
    peers.input_sizes = sizes(peers, peers.input_sizes)
    handle, log = tempfile.mkstemp(suffix=".jsonl")
    os.close(handle)
    sys.argv = ["peers.py", "--data", os.path.join(options.folder, "data"), "--venv", os.path.join(options.folder, "venv"), "--venv2",
                os.path.join(options.folder, "venv2"), "--only", options.only, "--runs", str(options.runs), "--json", log,
                "--sluice", os.path.abspath(options.sluice)]
    peers.main()
    with open(log) as f:
        tables(f)
    os.remove(log)


if __name__ == "__main__":
    main()
