"""Documents -> token stores and views -> exports; each export is read by its real reader and compared with the jsonl export of the
same source, then damaged: `sluice verify` and the reader must both notice.

usage: check_exports.py [FORMAT...]      (called by check_exports.sh, which sets SLUICE and SLUICE_SHARED)

Readers run in forks of this process, so that each library is loaded once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

SLUICE = os.environ["SLUICE"]
SHARED = Path(os.environ["SLUICE_SHARED"])
sys.path.insert(0, str(SHARED / "interop"))
import read_export  # noqa: E402

# u16: GPT-2's 50,257 ids, so that nanoGPT and modded-nanogpt can read them; u32: o200k's 199,998.
TOKENIZERS = {
    "u16": ["--tokenizer", str(SHARED / "vocab/gpt2_tokenizer.json")],
    "u32": ["--tokenizer", str(SHARED / "vocab/o200k_base.tiktoken"), "--pattern", "o200k", "--eos", "none"],
}
EOS = 50256  # of GPT-2
CONTEXT = 256
WINDOW = 128
REPLICAS = 4
READERS = {"modded-nanogpt": "llmc"}
ONLY_U16 = ("nanogpt", "modded-nanogpt")
LINKED = {"megatron": ".bin", "datatrove": ".ds", "olmo": ".npy", "nanogpt": ".bin"}
WINDOWED = {"datatrove", "litdata", "megatron", "olmo"}
# What is lost in the third negative case: a sidecar, an index, or the only data.
SIDECARS = ("index.json", "*.idx", "*.ds.index", "*.csv.gz", "*.tar", "*.mds", "*.parquet", "*.array_record", "*.bin")
failures = 0


def say(good, *words):
    global failures
    failures += not good
    print("%-5s %s" % ("ok" if good else "FAIL", " ".join(words)), flush=True)


def sluice(*words):
    return subprocess.run([SLUICE, *map(str, words)], capture_output=True, text=True)


def must(*words):
    done = sluice(*words)
    if done.returncode != 0:
        say(False, " ".join(map(str, words)), "->", done.stderr.strip().split("\n")[-1])
        return False
    return True


def formats():
    text = sluice("export", "--help").stdout
    listed = re.findall(r"^ {2,4}([a-z-]+): ", text.split("Examples")[0], re.M)
    return [name for name in listed if name != "jsonl"]


def read(format, path, expect, width, *options):
    """Exit code and first message of the real reader."""
    name = READERS.get(format, format)
    words = ["--format", name, "--path", str(path), "--expect", str(expect), "--dtype", width]
    args = read_export.parse(words + [str(option) for option in options])
    return read_export.apart(lambda: read_export.check(args))


def equal(what, *case):
    status, message = read(*case)
    say(status == 0, *what, "read and equal" if status == 0 else "exit %d: %s" % (status, message))


class Source:
    """Documents of a store, or the sequences of a view, with the expectation of both."""

    def __init__(self, name, words, shards, folder, width, eos=None):
        self.name, self.words, self.shards, self.width, self.eos = name, words, shards, width, eos
        self.expect = folder / ("expect-%s.jsonl" % name)
        out = folder / ("jsonl-" + name)
        must("export", *words, "--format", "jsonl", *self.options(), "-o", out, "--quiet")
        with open(self.expect, "wb") as whole:
            for part in sorted(out.glob("*.jsonl")):
                whole.write(part.read_bytes())

    def options(self):
        return ["--per-rank"] if self.shards == "per-rank" else ["--shards", self.shards] if self.shards else []

    def export(self, format, out, *more):
        options = list(self.options())
        if format == "litdata" and not self.name.startswith("view"):
            options += ["--window", WINDOW]
        return must("export", *self.words, "--format", format, *options, *more, "-o", out, "--quiet")


def damage(kind, folder, format, documents, width):
    """Changes a copy of an export; returns the name of the file."""
    if kind == "lost":
        path = sorted(f for pattern in SIDECARS for f in folder.glob(pattern))[-1]
        if format in ("mds", "litdata"):
            path = folder / "index.json"
        path.unlink()
    elif kind == "cut":
        # Of the last file with tokens; zeros at its end may be padding.
        path = sorted(f for f in folder.iterdir() if f.suffix in read_export.DATA_SUFFIXES + (".zstd",))[-1]
        path.write_bytes(path.read_bytes().rstrip(b"\0")[:-3])
    else:
        path = next(iter(sorted(folder.glob("*.zstd"))), None)
        if path:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
        else:
            read_export.flip_token(folder, documents, width)
            path = folder
    return path.name


def check(format, source, folder, more=(), damaged=False):
    what = (source.width, "%-14s" % format, "%-16s" % (source.name + "".join(" " + str(m) for m in more)))
    out = folder / ("%s-%s%s" % (format, source.name, "-".join(map(str, more))))
    if not source.export(format, out, *more):
        return
    isView = source.name.startswith("view")
    # litdata has no reading but that in windows, and the tail of a store fills none.
    windows = ["--seq-len", WINDOW] if format == "litdata" and not isView else []
    equal(what, format, out, source.expect, source.width, *windows)
    if format in WINDOWED and not windows and source.name == "store":
        equal(what + ("in windows,",), format, out, source.expect, source.width, "--seq-len", WINDOW)
    if source.eos is not None and not windows and READERS.get(format, format) in read_export.WITHOUT_BOUNDARIES:
        mark = "--bos" if format == "modded-nanogpt" else "--eos"
        equal(what + ("documents by their marks,",), format, out, source.expect, source.width, mark, source.eos)
    done = sluice("verify", out)
    say(done.returncode == 0, *what, "verify", done.stderr.strip())
    if not source.options() and format in LINKED:
        store = Path(source.words[0]) / "train"
        for number, segment in enumerate(sorted(store.glob("*.tok"))):
            linked = out / ("train-%05d%s" % (number, LINKED[format]))
            say(linked.samefile(segment), *what, linked.name, "is the segment")
    if not damaged:
        return
    documents = [json.loads(line)["tokens"] for line in open(source.expect)]
    documents = documents[:7] + [max(documents, key=len)]
    for kind in ("flipped", "cut", "lost"):
        broken = folder / "broken"
        shutil.rmtree(broken, ignore_errors=True)
        # A copy: a linked export shares its bytes with the store.
        shutil.copytree(out, broken)
        for file in broken.iterdir():
            file.chmod(0o644)
        name = damage(kind, broken, format, documents, source.width)
        done = sluice("verify", "--quiet", broken)
        say(done.returncode == 3, *what, "%s %s:" % (name, kind), "sluice verify", "exit %d" % done.returncode)
        status, message = read(format, broken, source.expect, source.width, *windows)
        say(status != 0, *what, "%s %s:" % (name, kind), "the reader:", message)


def check_width(width, wanted, work):
    folder = work / width
    folder.mkdir()
    store, marked = folder / "store", folder / "store-bos"
    documents = work / "documents.jsonl"
    eos = EOS if width == "u16" else None
    must("tokenize", documents, *TOKENIZERS[width], "--split", "valid=5%", "--segment-bytes", "500kB", "-o", store, "--quiet")
    sources = [Source("store", [store], None, folder, width, eos), Source("store-shards", [store], 3, folder, width, eos)]
    for packing in ("concat", "best-fit"):
        view = folder / ("view-%s.json" % packing)
        made = ["--context", CONTEXT, "--packing", packing, "--gpus", REPLICAS, "--seed", 5, "--epochs", 2]
        must("shard", store, *made, "-o", view, "--quiet")
        for name, shards in (("", 2 * REPLICAS), ("-rank", "per-rank")):
            sources.append(Source("view-%s%s" % (packing, name), ["--view", view, "--epoch", 1], shards, folder, width))
    if width == "u16":
        must("tokenize", documents, *TOKENIZERS[width], "--eos", "prepend-bos", "-o", marked, "--quiet")
        bos = Source("store-bos", [marked], None, folder, width, eos)
    for format in wanted:
        if format in ONLY_U16 and width != "u16":
            done = sluice("export", store, "--format", format, "-o", folder / "refused", "--quiet")
            say(done.returncode == 2, width, format, "is refused:", done.stderr.strip())
            continue
        if format == "modded-nanogpt":
            done = sluice("export", store, "--format", format, "-o", folder / "refused", "--quiet")
            say(done.returncode == 2 and "prepend-bos" in done.stderr, width, format, "is refused:", done.stderr.strip())
            check(format, bos, folder, damaged=True)
            continue
        for source in sources:
            # Ranks in one width and damage to sequences in the other: neither depends on the width.
            if source.shards == "per-rank" and width != "u16":
                continue
            isDamaged = source.name == "store" or (source.name == "view-best-fit" and width == "u32")
            check(format, source, folder, damaged=isDamaged)
        if format == "mds":
            for source in (sources[0], sources[3]):
                check(format, source, folder, ("--compression", "zstd"), damaged=source.name == "store")


def main():
    warnings.filterwarnings("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    there = formats()
    wanted = sys.argv[1:] or there
    names = {READERS.get(format, format) for format in wanted}
    for module, package, readers in read_export.LIBRARIES:
        if names & set(readers):
            __import__(module)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        made = subprocess.run(
            [sys.executable, "Tools/interop/make_documents.py", "1500", "fixtures/jsonl/datatrove.jsonl", "fixtures/jsonl/dolma.jsonl"],
            capture_output=True,
            check=True,
        )
        (work / "documents.jsonl").write_bytes(made.stdout)
        for width in ("u16", "u32"):
            check_width(width, wanted, work)
    print("%d failures" % failures)
    return failures > 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
