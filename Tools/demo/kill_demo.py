#!/usr/bin/env python3
"""Kills a run over a dump in every phase, resumes it each time, and compares the tree with that of an uninterrupted run.

    kill_demo.py --sluice BINARY --input CRAWL [--kills-per-phase 2] [--seed 5] [--unit-bytes 4MiB]

A phase is told by the journal entries of those before it (extract and filter are one fused phase). Once it is seen, SIGKILL
comes after a random part of its time in the uninterrupted run. Asserted at the end: equal trees (run.json aside), no
temporary file left, processor seconds of all tries at most twice those of one run, and no unit whose journal entry was
there was committed again (entries keep their inode over a resume). Prints one line a phase. Only the standard library is used.
"""
import argparse
import glob
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PHASES = [("filter", "map"), ("dedup", "signature"), ("dedup", "bucket"), ("dedup", "candidates"), ("dedup", "cluster"),
          ("dedup", "remove"), ("tokenizer", "count"), ("tokenizer", "merge"), ("store", "encode"), ("store", "shuffle")]


def phase(out):
    """Number of the phase under way, told by the journal entries of those before it."""
    def has(*parts):
        return os.path.exists(os.path.join(out, *parts))

    def entries(stage, name):
        return len(glob.glob(os.path.join(out, stage, "journal", name, "unit-*.json")))

    def parts(stage):
        return len(glob.glob(os.path.join(out, stage, "part-*")))

    if has("store", "journal") or has("store", "manifest.json"):
        return 9 if entries("store", "encode") >= parts("dedup") > 0 or has("store", "train") else 8
    if has("tokenizer", "journal"):
        return 7 if entries("tokenizer", "count") >= parts("dedup") > 0 else 6
    if has("dedup", "journal"):
        if entries("dedup", "cluster"):
            return 5
        if entries("dedup", "candidates") >= parts("filter") > 0:
            return 4
        if entries("dedup", "bucket"):
            return 3
        return 2 if entries("dedup", "signature") >= parts("filter") > 0 else 1
    return 0 if has("filter", ".tmp") else -1


def tree(out):
    found = {}
    for where, _, names in os.walk(out):
        for name in names:
            path = os.path.join(where, name)
            if name == "run.json":
                continue
            with open(path, "rb") as f:
                found[os.path.relpath(path, out)] = hashlib.sha256(f.read()).hexdigest()
    return found


def entries(out):
    """Inode of every journal entry of a unit."""
    return {path: os.stat(path).st_ino for path in glob.glob(os.path.join(out, "*", "journal", "*", "unit-*.json"))}


def start(arguments, out):
    return subprocess.Popen([*arguments, "-o", out, "--resume", "-q"], stdout=subprocess.DEVNULL)


def wait(process):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def watch(process, out, seen):
    """Polls until the process ends; notes when each phase was first seen."""
    while True:
        now = phase(out)
        if now >= 0 and now not in seen:
            seen[now] = time.monotonic()
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            seen["end"] = time.monotonic()
            return process.returncode, usage.ru_utime + usage.ru_stime
        time.sleep(0.001)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--pipeline", default="pipelines/web.yaml")
    parser.add_argument("--kills-per-phase", type=int, default=2)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--unit-bytes", default="4MiB")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    work = tempfile.mkdtemp(prefix="sluice-kill-")
    arguments = [options.sluice, "run", options.pipeline, "--input", options.input, "--gpus", "8", "--workers", "2",
                 "--unit-bytes", options.unit_bytes]
    whole, killed = os.path.join(work, "whole"), os.path.join(work, "killed")
    seen = {}
    code, one = watch(start(arguments, whole), whole, seen)
    assert code == 0, "the uninterrupted run ended with %d" % code
    times = sorted((at, number) for number, at in seen.items() if number != "end")
    ends = [at for at, _ in times[1:]] + [seen["end"]]
    lengths = {number: end - at for (at, number), end in zip(times, ends)}
    kills, again, cpu = dict.fromkeys(range(len(PHASES)), 0), 0, 0.0
    tries = 0
    while tries < 20 * len(PHASES):
        tries += 1
        before = entries(killed)
        process = start(arguments, killed)
        finished, target = None, None
        while finished is None and target is None:
            now = phase(killed)
            if now >= 0 and kills[now] < options.kills_per_phase:
                target = now
                break
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                finished = (os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)
            time.sleep(0.001)
        if finished is None:
            time.sleep(rng.random() * max(0.005, lengths.get(target, 0.05)) * 0.5)
            os.kill(process.pid, signal.SIGKILL)
            finished = wait(process)
            if finished[0] == -signal.SIGKILL:
                kills[target] += 1
        cpu += finished[1]
        after = entries(killed)
        again += sum(1 for path, inode in before.items() if path in after and after[path] != inode)
        if finished[0] == 0:
            break
        assert finished[0] == -signal.SIGKILL, "exit %d" % finished[0]
    code, more = wait(start(arguments, killed))
    cpu += more
    for number, (stage, name) in enumerate(PHASES):
        print("%-10s %-11s %.2f s, killed %d times" % (stage, name, lengths.get(number, 0), kills[number]))
    a, b = tree(whole), tree(killed)
    different = sorted(path for path in set(a) | set(b) if a.get(path) != b.get(path))
    left = [path for path in b if "/.tmp" in path or path.startswith(".tmp") or "journal" in path]
    print("kills %d, tries %d; files that differ: %d of %d; left over: %d; units committed again: %d" %
          (sum(kills.values()), tries, len(different), len(a), len(left), again))
    print("processor seconds: %.1f in all tries, %.1f in one run, ratio %.2f" % (cpu, one, cpu / one))
    for path in different[:10]:
        print("  differs:", path)
    shutil.rmtree(work)
    good = code == 0 and not different and not left and again == 0 and cpu <= 2 * one
    good = good and min(kills.values()) >= options.kills_per_phase
    print("ok" if good else "FAILED")
    sys.exit(0 if good else 1)


main()
