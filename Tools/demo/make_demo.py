#!/usr/bin/env python3
"""Makes a real dump on the spot: documentation pages in eight languages as WARC files, with junk planted between them.

    make_demo.py CACHE [--times N]        (make demo)

Downloads Debian's packages libreoffice-help-* and debian-reference-* into CACHE/packages (apt-get download: nothing is installed, no
root needed), reads their HTML with dpkg-deb --fsys-tarfile and writes

    CACHE/crawl/*.warc.gz      14 files of unequal size, a gzip member per record; the same bytes in every run on the same packages
    CACHE/planted.jsonl        the junk: {"url", "kind", "language", "of"?}
    CACHE/manifest.json        pages and bytes by language, packages with version; written last

Copies and near copies stand in later files than their originals, so the original is the document that stays.
--times N writes CACHE/crawl-xN (and planted-xN.jsonl, manifest-xN.json): every page N times under other addresses, every fourth word of
the further ones replaced, so that they are no near copies. It is for measuring memory, not for judging quality.
Python's standard library only.
"""
import argparse
import collections
import glob
import gzip
import hashlib
import html
import json
import os
import random
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dumps"))
import junk  # noqa: E402
import warc  # noqa: E402

HELP = {"en-us": "en", "de": "de", "fr": "fr", "ru": "ru", "ja": "ja", "zh-cn": "zh", "ko": "ko", "hi": "hi"}
REFERENCE = {"en": "en", "ja": "ja", "zh-cn": "zh", "de": "de", "fr": "fr"}
PACKAGES = ["libreoffice-help-" + code for code in HELP] + ["debian-reference-" + code for code in REFERENCE]
LANGUAGES = ["en", "de", "fr", "ru", "ja", "zh", "ko", "hi"]
DATE = "2024-05-01T00:00:00Z"
# Shares of the dump, by file: one large file, some of middle size, some small ones.
SHARES = [0.22, 0.15, 0.12, 0.10, 0.08, 0.07, 0.06, 0.05, 0.045, 0.035, 0.03, 0.02, 0.012, 0.008]
FILES_OF_ORIGINALS = 6
JUNK_OF_EACH_KIND = 40
Page = collections.namedtuple("Page", "url language body")


def download(folder):
    """The packages as files; only those that are missing are asked for."""
    os.makedirs(folder, exist_ok=True)
    missing = [p for p in PACKAGES if not glob.glob(os.path.join(folder, p + "_*.deb"))]
    if missing:
        print("downloading", len(missing), "packages", file=sys.stderr)
        try:
            subprocess.run(["apt-get", "download", "-q"] + missing, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except (OSError, subprocess.CalledProcessError) as failure:
            reason = getattr(failure, "stderr", b"") or str(failure).encode()
            sys.exit("make_demo.py: the packages cannot be downloaded (%s). Run apt-get update, or put %s into %s."
                     % (reason.decode("utf-8", "replace").strip().split("\n")[-1], "*.deb of libreoffice-help-* and debian-reference-*", folder))
    return {p: sorted(glob.glob(os.path.join(folder, p + "_*.deb")))[-1] for p in PACKAGES}


def html_files(package):
    """(path, bytes) of a package's HTML files; those that the package has compressed are unpacked."""
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=process.stdout, mode="r|") as files:
        for entry in files:
            if entry.isfile() and re.search(r"\.html(\.gz)?$", entry.name):
                data = files.extractfile(entry).read()
                yield re.sub(r"\.gz$", "", entry.name), gzip.decompress(data) if entry.name.endswith(".gz") else data
    if process.wait() != 0:
        sys.exit("make_demo.py: dpkg-deb cannot read " + package)


def pages_of(name, package):
    family, code = name.split("-", 2)[0], name.split("-", 2)[2]
    for path, body in html_files(package):
        if family == "libreoffice":
            found = re.search(r"libreoffice/help/[^/]+/(text/.*)", path)
            if found:
                yield Page("https://help.libreoffice.org/7.4/%s/%s" % (code, found[1]), HELP[code], body)
        else:
            yield Page("https://www.debian.org/doc/manuals/debian-reference/" + os.path.basename(path), REFERENCE[code], body)


def plain_text(body):
    """Rough text of a page: good enough to take words from."""
    text = body.decode("utf-8", "replace")
    text = re.sub(r"(?is)<(script|style|head|header|footer|nav|aside|pre)\b.*?</\1>", " ", text)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


def spread(items, shares):
    """Cuts a list into runs whose lengths are as the shares."""
    runs, begin, sum_of_shares = [], 0, 0.0
    for index, share in enumerate(shares):
        sum_of_shares += share
        end = len(items) if index == len(shares) - 1 else round(len(items) * sum_of_shares)
        runs.append(items[begin:end])
        begin = end
    return runs


class Vocabulary:
    """Words and sentences of each language, from the first long pages."""

    def __init__(self, pages):
        self.words, self.sentences = {}, {}
        for language in LANGUAGES:
            text = " ".join(plain_text(p.body) for p in [p for p in pages if p.language == language][:300])
            letters = junk.words_of(text, language)
            if language not in ("en", "de", "fr"):
                letters = [w for w in letters if not w.isascii()]
            self.words[language] = letters[:50000]
            self.sentences[language] = [s for s in junk.sentences_of(text) if language in ("en", "de", "fr") or not s[:9].isascii()][:2000]


def plant(files, pages_by_file, vocabulary, rng):
    """Puts junk at random places into the files; returns the list of what was planted."""
    planted = []

    def put(kind, number, language, body, of=None):
        name = rng.choice(range(FILES_OF_ORIGINALS, len(files)) if of else range(len(files)))
        url = "https://planted.example/%s/%s/%d.html" % (kind, language, number)
        files[name].insert(rng.randint(0, len(files[name])), Page(url, language, body))
        planted.append({"url": url, "kind": kind, "language": language, **({"of": of} if of else {})})

    makers = {"menu": junk.menu, "salad": junk.salad, "repeated": junk.repeated, "lorem": junk.lorem, "symbols": junk.symbols}
    for kind, maker in makers.items():
        for number in range(JUNK_OF_EACH_KIND):
            language = LANGUAGES[number % len(LANGUAGES)]
            stock = vocabulary.sentences[language] if kind == "repeated" else vocabulary.words[language]
            put(kind, number, language, maker(language, stock, rng))

    # Originals with a page's worth of text: short ones are judged by the filters before anyone compares them.
    originals = {language: [] for language in LANGUAGES}
    for page in (p for run in pages_by_file[:FILES_OF_ORIGINALS] for p in run):
        if len(originals[page.language]) < 60 and len(page.body) < 100000 and len(plain_text(page.body)) > 3000:
            originals[page.language].append(page)
    for kind in ("copy", "near-copy"):
        for number in range(JUNK_OF_EACH_KIND):
            language = LANGUAGES[number % len(LANGUAGES)]
            stock = originals[language]
            while stock:
                page = stock.pop(0)
                body = page.body if kind == "copy" else junk.near_copy(page.body, vocabulary.words[language], rng)
                if body:
                    put(kind, number, language, body, of=page.url)
                    break
    return planted


def altered(page, copy, vocabulary):
    """The page under another address, every fourth word of its text replaced."""
    rng = random.Random("%d %s" % (copy, page.url))
    words, head = vocabulary.words[page.language], page.body.find(b"<body")
    text = page.body[head:].decode("utf-8", "replace")

    def swap(match):
        return "".join(rng.choice(words) if not part.isspace() and rng.random() < 0.25 else part for part in re.split(r"(\s+)", match[0]))

    text = re.sub(r">[^<>]{4,}<", lambda m: ">" + swap(re.match(r"(?s).*", m[0][1:-1])) + "<", text)
    return Page(page.url + "?copy=%d" % copy, page.language, page.body[:head] + text.encode())


def write(folder, name, pages, size):
    """One WARC file, a gzip member per record."""
    with open(os.path.join(folder, name), "wb") as f:
        f.write(warc.gzip_member(warc.warcinfo("software: make_demo.py\r\nformat: WARC File Format 1.1\r\n", name), 6))
        for page in pages:
            record = warc.response(page.url, page.body, date=DATE)
            size[page.language] += len(page.body)
            f.write(warc.gzip_member(record, 6))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cache")
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    suffix = "" if options.times == 1 else "-x%d" % options.times
    folder = os.path.join(options.cache, "crawl" + suffix)
    os.makedirs(folder, exist_ok=True)
    for old in glob.glob(os.path.join(folder, "*")):
        os.remove(old)

    packages = download(os.path.join(options.cache, "packages"))
    pages = [page for name in PACKAGES for page in pages_of(name, packages[name])]
    pages.sort(key=lambda p: hashlib.sha1(p.url.encode()).digest())
    vocabulary = Vocabulary(pages)
    files = spread(pages, SHARES)
    planted = plant(files, spread(pages, SHARES), vocabulary, random.Random(20240501))

    size = collections.Counter()
    for number, run in enumerate(files):
        everything = run if options.times == 1 else \
            (page if copy == 0 else altered(page, copy, vocabulary) for page in run for copy in range(options.times))
        write(folder, "docs-%02d.warc.gz" % number, everything, size)
    with open(os.path.join(options.cache, "planted%s.jsonl" % suffix), "w") as f:
        f.writelines(json.dumps(p, sort_keys=True) + "\n" for p in sorted(planted, key=lambda p: p["url"]))
    count = collections.Counter(p.language for p in pages)
    manifest = {
        "packages": sorted(os.path.basename(p) for p in packages.values()),
        "files": len(files),
        "pages": {language: count[language] for language in LANGUAGES},
        "planted": dict(sorted(collections.Counter(p["kind"] for p in planted).items())),
        "html_bytes": {language: size[language] for language in LANGUAGES},
        "html_bytes_total": sum(size.values()),
        "gzip_bytes": sum(os.path.getsize(p) for p in glob.glob(os.path.join(folder, "*.warc.gz"))),
    }
    with open(os.path.join(options.cache, "manifest%s.json" % suffix), "w") as f:
        json.dump(manifest, f, indent=1)
    print(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    main()
