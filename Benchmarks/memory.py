#!/usr/bin/env python3
"""Peak memory, processor and wall seconds of each command on a dump, as a Markdown table: memory.py --sluice BINARY --temp FOLDER DUMP...

Each command runs with --workers 2 and no --memory on the output of the one before it. Memory is the resident peak of the process (wait4).
Several dumps (the demo, and three times the demo) give one column each: a peak that grows with the dump would show.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

STEPS = [
    ("inspect dump", ["inspect", "{first}"]),
    ("extract", ["extract", "{dump}", "-o", "{out}/extracted", "--workers", "2", "--quiet"]),
    ("filter", ["filter", "{out}/extracted", "--recipe", "web", "-o", "{out}/filtered", "--workers", "2", "--quiet"]),
    ("dedup", ["dedup", "{out}/filtered", "-o", "{out}/clean", "--workers", "2", "--quiet"]),
    ("train", ["train", "{out}/clean", "--vocab-size", "32000", "-o", "{out}/tok", "--workers", "2", "--quiet"]),
    ("tokenize", ["tokenize", "{out}/clean", "--tokenizer", "{out}/tok", "-o", "{out}/store", "--workers", "2", "--quiet"]),
    ("shard", ["shard", "{out}/store", "--gpus", "8", "--context", "2048", "-o", "{out}/view.json"]),
    ("export megatron", ["export", "{out}/store", "--format", "megatron", "-o", "{out}/megatron"]),
    ("export datatrove", ["export", "{out}/store", "--format", "datatrove", "-o", "{out}/datatrove"]),
    ("inspect store", ["inspect", "{out}/store"]),
    ("verify store", ["verify", "{out}/store"]),
    ("run", ["run", "pipelines/web.yaml", "--input", "{dump}", "-o", "{out}/run", "--gpus", "8", "--workers", "2", "--quiet"]),
]


def measure(argv):
    began = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = child.stderr.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return dict(code=child.returncode, error=error.strip(), wall=time.perf_counter() - began,
                cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--temp", required=True)
    parser.add_argument("dumps", nargs="+")
    options = parser.parse_args()
    results = []
    for number, dump in enumerate(options.dumps):
        out = os.path.join(options.temp, "memory-%d" % number)
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        column = {}
        first = os.path.join(dump, sorted(os.listdir(dump))[0]) if os.path.isdir(dump) else dump
        for name, argv in STEPS:
            argv = [options.sluice] + [word.format(dump=dump, first=first, out=out) for word in argv]
            column[name] = done = measure(argv)
            print("%-18s %-24s %6.1f MiB %7.2f s cpu %7.2f s wall, exit %d %s" % (
                name, os.path.basename(dump), done["peak"], done["cpu"], done["wall"], done["code"],
                done["error"].splitlines()[-1] if done["code"] and done["error"] else ""), file=sys.stderr)
        results.append(column)
        shutil.rmtree(out, ignore_errors=True)
    names = [os.path.basename(os.path.normpath(d)) for d in options.dumps]
    print("| command | " + " | ".join("%s: peak MiB | cpu s | wall s" % n for n in names) + " |")
    print("|---" * (1 + 3 * len(names)) + "|")
    for step, _ in STEPS:
        cells = ["%.0f | %.2f | %.2f" % (c[step]["peak"], c[step]["cpu"], c[step]["wall"]) if c[step]["code"] == 0
                 else "exit %d | |" % c[step]["code"] for c in results]
        print("| %s | %s |" % (step, " | ".join(cells)))


if __name__ == "__main__":
    main()
