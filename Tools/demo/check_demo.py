#!/usr/bin/env python3
"""Asks of a demo run what a good run has to show; prints a table and ends with exit code 1 if something does not hold.

    check_demo.py --run OUT --cache CACHE --sluice BINARY [--shared FOLDER]        (make demo)

1. The counts of every stage add up: in = out + dropped + defects + other records.
2. The keep rate of each language (extract and filter; duplicates apart) is within 15 points of English.
3. At least 95 % of the planted junk is gone, each page by a rule that fits its kind.
4. Every file of FOLDER/data/warc (real, odd and broken dumps; skipped if they are not here) is extracted without a crash.
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dumps"))
import zstd  # noqa: E402

POINTS = 15
SHARE = 0.95
# Rules that fit a kind of junk, as patterns of "stage/rule". A page of menus may have no text left after extraction, or too little of it.
FITTING = {
    "menu": r"extract/|filter/(menu-lines|unbroken-words|text-weight|word-count|bullet-lines|stop-words|word-recurrence|duplicate-)",
    "salad": r"filter/(unbroken-words|word-recurrence|stop-words|word-order|top-[234]-gram|menu-lines|mean-word-length)",
    "repeated": r"filter/(duplicate-|top-[234]-gram|word-recurrence|repeated-)|dedup/",
    "lorem": r"filter/lorem-ipsum",
    "symbols": r"extract/|filter/(letter-share|digit-share|alphabetic-words|hash-ratio|text-weight|unbroken-words)",
    "copy": r"dedup/",
    "near-copy": r"dedup/",
}
CODES = {"en-us": "en", "zh-cn": "zh"}


def language_of(url):
    """Language of a demo page by its address; None for planted ones."""
    found = re.search(r"help\.libreoffice\.org/7\.4/([^/]+)/|debian-reference/[^/]*\.([a-z-]+)\.html", url)
    code = found and (found[1] or found[2])
    return CODES.get(code, code)


def stages(run):
    """(name, report) of the run's stage folders, in the order in which documents pass them."""
    found = []
    for path in glob.glob(os.path.join(run, "*", "report.json")):
        with open(path) as f:
            found.append((os.path.basename(os.path.dirname(path)), json.load(f)))
    order = ["extract", "filter", "dedup"]
    return sorted(found, key=lambda s: (order.index(s[0]) if s[0] in order else len(order), s[0]))


def dropped(run):
    """url → (stage/rule, value, peer) of every dropped document."""
    gone = {}
    for path in sorted(glob.glob(os.path.join(run, "*", "dropped", "part-*"))):
        for line in zstd.lines(path):
            document = json.loads(line)
            drop = document["drop"]
            gone[document.get("url") or document["id"]] = ("%s/%s" % (drop["stage"], drop["rule"]), drop.get("value"), drop.get("peer"))
    return gone


def check_counts(run, report):
    for name, counts in stages(run):
        if "documents_in" not in counts:
            continue
        parts = [counts.get(k, 0) for k in ("documents_out", "documents_dropped", "records_defective", "records_other")]
        report(counts["documents_in"] == sum(parts), "%-10s %7d in = %7d out + %6d dropped + %3d defects + %d other"
               % ((name, counts["documents_in"]) + tuple(parts)))


def check_languages(manifest, gone, report):
    judged, duplicates = collections.Counter(), collections.Counter()
    for url, (rule, _, _) in gone.items():
        language = language_of(url)
        if language:
            (duplicates if rule.startswith("dedup/") else judged)[language] += 1
    rates = {code: 100 * (1 - judged[code] / count) for code, count in manifest["pages"].items()}
    for code, rate in rates.items():
        report(abs(rate - rates["en"]) <= POINTS, "%-4s %5d pages, %5.1f %% kept by extract and filter (English %.1f), %d duplicates"
               % (code, manifest["pages"][code], rate, rates["en"], duplicates[code]))


def check_planted(cache, gone, report):
    total, hit, misses = collections.Counter(), collections.Counter(), []
    rules = collections.defaultdict(collections.Counter)
    with open(os.path.join(cache, "planted.jsonl")) as f:
        for planted in map(json.loads, f):
            kind, (rule, value, _) = planted["kind"], gone.get(planted["url"], ("kept", None, None))
            total[kind] += 1
            rules[kind][rule] += 1
            fits = re.match(FITTING[kind], rule)
            # A copy goes by the same rule as its original where that one did not pass either.
            if not fits and "of" in planted and gone.get(planted["of"], ("kept",))[0] == rule != "kept":
                fits = True
            if fits:
                hit[kind] += 1
            else:
                misses.append("%s: %s %s" % (planted["url"], rule, "" if value is None else value))
    for kind in sorted(total):
        print("      %-10s %3d of %3d  %s" % (kind, hit[kind], total[kind], ", ".join("%s %d" % r for r in rules[kind].most_common())))
    report(sum(hit.values()) >= SHARE * sum(total.values()), "planted junk dropped by a fitting rule: %d of %d"
           % (sum(hit.values()), sum(total.values())))
    for miss in misses[:40]:
        print("      missed", miss)


def check_dumps(shared, sluice, report):
    folder = os.path.join(shared, "data", "warc")
    if not os.path.isdir(folder):
        print("skipped: %s is not here" % folder)
        return
    files = sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    crashes, codes = [], collections.Counter()
    for path in files:
        with tempfile.TemporaryDirectory() as out:
            try:
                done = subprocess.run([sluice, "extract", path, "-o", os.path.join(out, "x")], capture_output=True, timeout=60)
                code = done.returncode
            except subprocess.TimeoutExpired:
                code = "hang"
            codes[code] += 1
            if code not in (0, 1, 2, 3):
                crashes.append("%s: %s" % (os.path.relpath(path, folder), code))
    report(not crashes, "%d files of data/warc, exit codes %s %s" % (len(files), dict(codes), "; ".join(crashes[:10])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--shared", default=os.environ.get("SLUICE_SHARED", "../shared"))
    options = parser.parse_args()
    failures = []

    def report(holds, line):
        print("%s %s" % ("ok   " if holds else "FAILS", line))
        if not holds:
            failures.append(line)

    with open(os.path.join(options.cache, "manifest.json")) as f:
        manifest = json.load(f)
    gone = dropped(options.run)
    check_counts(options.run, report)
    check_languages(manifest, gone, report)
    check_planted(options.cache, gone, report)
    check_dumps(options.shared, os.path.abspath(options.sluice), report)
    if failures:
        sys.exit("check_demo.py: %d of the checks do not hold" % len(failures))


if __name__ == "__main__":
    main()
