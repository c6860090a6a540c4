"""Look-ups in a store of 10^12 tokens, and the passes that read all records or origins.

    lookups.py SLUICE [--segments 2040] [--documents 550000] [--runs 5] [--work FOLDER]

The store is made by make_store.py: real records and origins of one segment, which all others link to; tokens are sparse. Prints wall and
processor milliseconds and peak memory of each command, medians of the runs at random places, cold (pages of the store dropped before
each) unless named otherwise; then rates of the passes over all records (`inspect STORE`) and all origins (`where --document`).
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

from views import HERE, drop, link_packs, measured, report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sluice")
    parser.add_argument("--documents", type=int, default=550_000)
    parser.add_argument("--segments", type=int, default=2040)
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work")
    options = parser.parse_args()
    sluice = os.path.abspath(options.sluice)
    work = tempfile.mkdtemp(dir=options.work)
    stores = {"one": 1, "some": 10, "many": options.segments}
    for name, segments in stores.items():
        stores[name] = os.path.join(work, name)
        subprocess.run([sys.executable, os.path.join(HERE, "make_store.py"), stores[name], "--segments", str(segments),
                        "--documents", str(options.documents), "--vocabulary", "100000"], check=True, stdout=subprocess.DEVNULL)
    many = stores["many"]
    with open(os.path.join(many, "manifest.json")) as f:
        tokens = json.load(f)["splits"]["train"]["tokens"]
    context = ["--context", str(options.context), "--quiet"]
    subprocess.run([sluice, "shard", stores["one"], "--gpus", "1", "-o", os.path.join(work, "one.json")] + context, check=True)
    link_packs(stores["one"], many, options.context)
    chosen = random.Random(1)
    print("%d tokens, %d documents, %d segments\n" % (tokens, options.segments * options.documents, options.segments))
    print("| command | wall ms | processor ms | peak MiB |\n|---|---|---|---|")

    def rows(*commands):
        """Of commands made by functions, a new one each run."""
        found = []
        for _ in range(options.runs):
            for command in commands:
                drop(many)
                found.append(measured([sluice] + command()))
        return found

    report("`where STORE TOKEN`", rows(lambda: ["inspect", "where", many, str(chosen.randrange(tokens))]))
    for packing in "concat", "best-fit":
        view = os.path.join(work, packing + ".json")
        make = ["shard", many, "--gpus", "10240", "--tensor-parallel", "8", "--context-parallel", "2", "--pipeline-parallel", "16",
                "--global-batch", "1600", "--packing", packing, "-o", view] + context
        report("`shard`, 10,240 GPUs, %s" % packing, rows(lambda: make))
        steps = tokens // options.context // 1600 - 1
        where = ["inspect", "where", view, "--store", many]
        show = ["inspect", "show", view, "--store", many]
        report("`show --step S --rank R --micro 0`, %s" % packing, rows(
            lambda: show + ["--step", str(chosen.randrange(steps)), "--rank", str(chosen.randrange(10240)), "--micro", "0"]))
        report("`show --step S --rank R` (40 sequences), %s" % packing, rows(
            lambda: show + ["--step", str(chosen.randrange(steps)), "--rank", str(chosen.randrange(10240))]))
        report("`where VIEW --token N`, %s" % packing, rows(lambda: where + ["--token", str(chosen.randrange(tokens))]))
        report("`inspect VIEW`, %s" % packing, rows(lambda: ["inspect", view]))
    documents = 10 * options.documents
    wall, _, memory = measured([sluice, "inspect", stores["some"]])
    print("\n`inspect STORE`: %.1f M documents/s, peak %.0f MiB" % (documents / wall / 1e6, memory / 1024))
    missing = subprocess.Popen([sluice, "inspect", "where", stores["some"], "--document", "crawl/none"], stderr=subprocess.PIPE)
    missing.stderr.read()
    _, _, usage = os.wait4(missing.pid, 0)
    print("`where --document ID` through all origins: %.1f M documents/s, peak %.0f MiB"
          % (documents / (usage.ru_utime + usage.ru_stime) / 1e6, usage.ru_maxrss / 1024))
    subprocess.run(["rm", "-rf", work], check=True)


if __name__ == "__main__":
    main()
