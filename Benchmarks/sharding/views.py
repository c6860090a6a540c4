"""Views of a store of 10^9 documents, and the first batch of any rank with a cold cache.

    views.py SLUICE [--documents 1000000] [--segments 1000] [--runs 5] [--work FOLDER]

Prints wall and processor seconds and peak memory of each command, medians of the runs. "Cold": the pages of the store, its
pack index and the program are dropped before each run (posix_fadvise; the binary stays warm if others run it).
"""
import argparse
import hashlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def measured(command):
    """Wall seconds, processor seconds and peak KB of a child."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit("%s: exit %d: %s" % (" ".join(command), child.returncode, errors.decode()))
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def drop(folder):
    """Drops the pages of all files below a folder; hard links are dropped once."""
    seen = set()
    for path, _, names in os.walk(folder):
        for name in names:
            status = os.stat(os.path.join(path, name))
            if status.st_ino in seen:
                continue
            seen.add(status.st_ino)
            descriptor = os.open(os.path.join(path, name), os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def link_packs(one, many, context):
    """The index of the one-segment store `one` as that of `many`, whose segments are links of the same one."""
    name = "pack-%d" % context
    source, target = os.path.join(one, "train", name), os.path.join(many, "train", name)
    with open(os.path.join(source, "manifest.json")) as f:
        manifest = json.load(f)
    with open(os.path.join(many, "manifest.json"), "rb") as f:
        data = f.read()
    unit = manifest["units"][0]
    manifest["store"] = "sha256:" + hashlib.sha256(data).hexdigest()
    manifest["units"] = []
    os.makedirs(target)
    for number in range(len(json.loads(data)["splits"]["train"]["segments"])):
        entry = dict(unit, name="seg-%05d" % number, first_segment=number)
        manifest["units"].append(entry)
        os.link(os.path.join(source, "seg-00000.pack"), os.path.join(target, entry["name"] + ".pack"))
    with open(os.path.join(target, "manifest.json"), "w") as f:
        json.dump(manifest, f, sort_keys=True, separators=(",", ":"))


def report(name, rows):
    wall, cpu, memory = (statistics.median(row[i] for row in rows) for i in range(3))
    print("| %s | %.0f | %.0f | %.1f |" % (name, wall * 1000, cpu * 1000, memory / 1024), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sluice")
    parser.add_argument("--documents", default="1000000")
    parser.add_argument("--segments", default="1000")
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work")
    options = parser.parse_args()
    sluice = os.path.abspath(options.sluice)
    work = tempfile.mkdtemp(dir=options.work)
    one, many = os.path.join(work, "one"), os.path.join(work, "many")
    for folder, segments in (one, "1"), (many, options.segments):
        subprocess.run([sys.executable, os.path.join(HERE, "make_store.py"), folder, "--segments", segments,
                        "--documents", options.documents], check=True, stdout=subprocess.DEVNULL)
    print("| command | wall ms | processor ms | peak MiB |\n|---|---|---|---|")
    context = ["--context", str(options.context), "--quiet"]
    index = measured([sluice, "shard", one, "--gpus", "1", "-o", os.path.join(work, "one.json"), "--workers", "1"] + context)
    report("pack index of %s documents, one worker" % options.documents, [index])
    link_packs(one, many, options.context)
    for packing in "concat", "best-fit":
        for gpus in 1, 8, 1000, 4096, 100_000:
            view = os.path.join(work, "%s-%d.json" % (packing, gpus))
            rows = [measured([sluice, "shard", many, "--gpus", str(gpus), "--packing", packing, "-o", view] + context)
                    for _ in range(options.runs)]
            report("view, %s, %d GPUs (%d bytes)" % (packing, gpus, os.path.getsize(view)), rows)
        rows = []
        chosen = random.Random(1)
        for _ in range(4 * options.runs):
            drop(many)
            rows.append(measured([sluice, "inspect", "show", view, "--store", many, "--step", "0", "--rank",
                                  str(chosen.randrange(100_000)), "--json"]))
        report("first batch of a rank, cold, %s" % packing, rows)
    subprocess.run(["rm", "-rf", work], check=True)


if __name__ == "__main__":
    main()
