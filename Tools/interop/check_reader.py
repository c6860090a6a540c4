"""The reader for trainers beside sluice itself: what clients/python/sluice_view.py reads for a (view, step, rank) is what
`sluice inspect show` shows, over stores, packings, shuffles, mixtures, frameworks and GPU counts drawn with a fixed seed; and
a run that stops at a random step goes on, on another number of GPUs, with exactly the rest of its order.

usage: SLUICE=sluice SLUICE_SHARED=shared check_reader.py [--cases 1000] [--views 60] [--seed 1] [--keep FOLDER]
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "clients", "python"))

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(0)

import sluice_view  # noqa: E402
from sluice_view import SluiceDataset, Topology, View, ViewError  # noqa: E402

SLUICE = os.environ.get("SLUICE", os.path.join(ROOT, ".build", "release", "sluice"))
VOCABULARIES = os.path.join(os.environ.get("SLUICE_SHARED", os.path.join(ROOT, "..", "shared")), "vocab")


class Failure(Exception):
    pass


def sluice(*arguments, fails=False):
    run = subprocess.run([SLUICE, *map(str, arguments)], capture_output=True, text=True)
    if (run.returncode != 0) != fails:
        raise Failure(f"sluice {' '.join(map(str, arguments))}: exit code {run.returncode}: {run.stderr.strip()[-500:]}")
    return run.stderr if fails else run.stdout


def words():
    found = []
    for name in ("datatrove.jsonl", "dolma.jsonl"):
        with open(os.path.join(ROOT, "fixtures", "jsonl", name), encoding="utf-8") as lines:
            for line in lines:
                found += json.loads(line)["text"].split()
    return found


def write_documents(path, draw, count, vocabulary, longest):
    """Lengths over four orders of magnitude, some documents empty; sources and languages of uneven sizes."""
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            length = int(longest ** draw.random()) - 1
            document = {"id": f"{os.path.basename(path)}/{number}", "text": " ".join(draw.choices(vocabulary, k=length)),
                        "source": draw.choice(["web"] * 6 + ["wiki"] * 3 + ["code"]),
                        "metadata": {"language": draw.choice(["en", "en", "de", "fr"])}}
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def make_stores(folder, draw):
    """Stores by name: u16 with several units of a pack index, u16 with several segments, u32 without end of text."""
    vocabulary = words()
    gpt2 = ["--tokenizer", os.path.join(VOCABULARIES, "gpt2_tokenizer.json")]
    o200k = ["--tokenizer", os.path.join(VOCABULARIES, "o200k_base.tiktoken"), "--pattern", "o200k", "--eos", "none"]
    plans = {"many": (32000, 60, gpt2, "250kB"), "long": (900, 9000, gpt2, "400kB"), "wide": (1500, 3000, o200k, "600kB")}
    for name, (count, longest, tokenizer, segment) in plans.items():
        write_documents(os.path.join(folder, f"{name}.jsonl"), draw, count, vocabulary, longest)
        sluice("tokenize", os.path.join(folder, f"{name}.jsonl"), *tokenizer, "--split", "valid=5%", "--segment-bytes", segment,
               "-o", os.path.join(folder, name), "--quiet")
    return [["many"], ["long"], ["wide"], ["many", "long"], ["long", "many"]]


def divisors(number):
    return [d for d in range(1, number + 1) if number % d == 0]


def draw_readers(draw):
    """Options of who reads."""
    gpus = draw.choice([1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 64, 96])
    tensor = draw.choice(divisors(gpus)) if draw.random() < 0.5 else 1
    pipeline = draw.choice(divisors(gpus // tensor)) if draw.random() < 0.4 else 1
    context = draw.choice([c for c in divisors(gpus // tensor // pipeline) if c in (1, 2, 4)]) if draw.random() < 0.4 else 1
    replicas = gpus // (tensor * pipeline * context)
    micro, micros = draw.choice([1, 1, 2, 3]), draw.choice([1, 1, 2, 5])
    options = ["--gpus", gpus, "--tensor-parallel", tensor, "--pipeline-parallel", pipeline, "--context-parallel", context,
               "--framework", draw.choice(Topology.FRAMEWORKS), "--micro-batch", micro,
               "--global-batch", micro * micros * replicas]
    if draw.random() < 0.3:
        axes = ["tp", "cp", "ep", "dp", "pp"]
        draw.shuffle(axes)
        options += ["--rank-order", "-".join(axes)]
    return options


def draw_order(draw, stores):
    """Options of what is read."""
    # Context parallel shapes up to 4 divide the trained length by 8.
    trained = draw.choice([32, 64, 200, 512, 1024, 4096])
    packing = draw.choice(["concat", "overlap", "best-fit", "best-fit"])
    options = ["--seed", draw.randrange(1 << 40), "--epochs", draw.choice([1, 2, 3])]
    if packing == "overlap":
        options += ["--context", trained + 1, "--overlap", 1]
    else:
        options += ["--context", trained, "--packing", packing]
    if draw.random() < 0.4:
        options += ["--shuffle", f"blocks={draw.choice([1, 7, 64])},{draw.choice([1, 3, 16])}"]
    if packing != "overlap" and draw.random() < 0.4:
        by = draw.choice(["source", "language"])
        names = draw.sample({"source": ["web", "wiki", "code"], "language": ["en", "de", "fr"]}[by], draw.choice([1, 2, 3]))
        options += ["--mixture", ",".join(f"{name}={draw.randint(1, 20)}" for name in names), "--mixture-by", by]
    if draw.random() < 0.15 and stores != ["wide"]:
        options += ["--split", "valid"]
    return options


class Check:
    def __init__(self, folder, draw):
        self.folder, self.draw, self.failures = folder, draw, 0
        self.kinds = {}

    def fail(self, what):
        self.failures += 1
        if self.failures <= 20:
            print(f"FAIL  {what}")

    def shard(self, name, stores, *options):
        path = os.path.join(self.folder, name)
        sluice("shard", *(os.path.join(self.folder, store) for store in stores), *options, "-o", path, "--quiet")
        return path

    def draw_view(self, number, stores):
        """A view that fits; a draw without enough tokens for its sequence, or of an absent class, is drawn again."""
        for _ in range(50):
            order, readers = draw_order(self.draw, stores), draw_readers(self.draw)
            try:
                return self.shard(f"view-{number}.json", stores, *order, *readers), order, readers
            except Failure as failure:
                last = failure
        raise last

    def steps(self, view):
        return -(-(view.total - view.start) // view.global_batch)

    def compare(self, path, view, step, rank):
        """One (view, step, rank): sluice's items and ours, field by field."""
        shown = json.loads(sluice("inspect", "show", path, "--step", step, "--rank", rank, "--json"))
        mine = json.loads(json.dumps(sluice_view.sample(view, step, rank)))
        place = view.rank(rank)
        for name, value in [("replica", place.dp), ("reads", place.reads), ("cp_slices", [list(s) for s in place.cp_slices]),
                            ("order_hash", view.order_hash)]:
            if shown[name] != value:
                return self.fail(f"{path} step {step} rank {rank}: {name} is {shown[name]}, the reader says {value}")
        if len(shown["items"]) != len(mine["items"]):
            return self.fail(f"{path} step {step} rank {rank}: {len(shown['items'])} items, the reader gives {len(mine['items'])}")
        read = view.read(step, rank)
        for row, (theirs, ours) in enumerate(zip(shown["items"], mine["items"])):
            for name in ours:
                value = theirs[name]
                if name == "documents":
                    value = [{key: document[key] for key in ("document", "start", "offset", "tokens")} for document in value]
                if value != ours[name]:
                    return self.fail(f"{path} step {step} rank {rank} item {row}: {name} differs")
            # The rows that a trainer gets, from what sluice says of documents.
            positions, ids = [], []
            for document in theirs["documents"]:
                positions += range(document["tokens"])
                ids += [document["document"]] * document["tokens"]
            padding = theirs["padding"]
            rows = [theirs["tokens"], positions + list(range(padding)), ids + [-1] * padding,
                    [True] * len(ids) + [False] * padding]
            for name, field, expected in zip(read._fields, read, rows):
                if field[row].tolist() != expected:
                    return self.fail(f"{path} step {step} rank {rank} item {row}: {name} differs")

    def compare_ranks(self, path, view, readers, stores, order):
        """The rank manifest of all ranks."""
        shown = json.loads(sluice("shard", *(os.path.join(self.folder, store) for store in stores), *order, *readers, "--ranks",
                                  "--json", "--quiet"))
        for row in shown["ranks"]:
            place = view.rank(row["rank"])._asdict()
            place["cp_slices"] = [list(part) for part in place["cp_slices"]]
            sequences = SluiceDataset(view, row["rank"], tail="deal").samples
            if {**place, "sequences": sequences, "tokens": sequences * view.context} != row:
                return self.fail(f"{path}: rank {row['rank']} is {row}, the reader says {place}, {sequences} sequences")

    def resume(self, number, path, view, stores, order):
        """Stop at a random step; go on with other readers, by a loaded state and by a view that starts there."""
        stop = self.draw.randint(0, view.full_steps())
        state = SluiceDataset(view, 0, tail="drop").state_dict(steps=stop)
        state_path = os.path.join(self.folder, f"state-{number}.json")
        with open(state_path, "w") as file:
            json.dump(state, file)
        start = state["next_position"]
        if start == view.total:
            return
        positions = np.arange(start, view.total)
        uninterrupted = dict(zip(positions.tolist(), view.sequences_at(positions)[1].tolist()))
        readers = draw_readers(self.draw)
        while True:
            try:
                started = View(self.shard(f"resumed-{number}.json", stores, *order, *readers, "--state", state_path))
                other = View(self.shard(f"other-{number}.json", stores, *order, *readers))
                break
            except Failure:
                readers = draw_readers(self.draw)
        if started.start != start:
            return self.fail(f"{path}: the view goes on at {started.start}, not {start}")
        rest, by_state = {}, {}
        for rank in range(started.gpus):
            place = started.rank(rank)
            # One rank of each replica.
            if (place.tp, place.cp, place.pp) != (0, 0, 0):
                continue
            for step in range(self.steps(started)):
                for item in started.places(step, rank):
                    if item.position in rest:
                        return self.fail(f"{path}: position {item.position} is read twice after the resume")
                    rest[item.position] = item.sequence
            dataset = SluiceDataset(other, rank, tail="deal")
            dataset.load_state_dict(json.loads(json.dumps(state)))
            at = other.rank_positions(rank, np.arange(dataset.samples), dataset.start)
            by_state.update(zip(at.tolist(), other.sequences_at(at)[1].tolist()))
        if rest != uninterrupted or by_state != uninterrupted:
            self.fail(f"{path}: {len(rest)} and {len(by_state)} sequences after the resume at {start}, not the {len(uninterrupted)} that were left")
        # Sluice reads the resumed view in the same way.
        for _ in range(2):
            self.compare(started.path, started, self.draw.randrange(self.steps(started)), self.draw.randrange(started.gpus))
        # Another seed is refused by both, by name.
        seed = order.index("--seed") + 1
        changed = order[:seed] + [order[seed] + 1] + order[seed + 1 :]
        wrong = View(self.shard(f"wrong-{number}.json", stores, *changed, *readers))
        message = sluice("shard", *(os.path.join(self.folder, store) for store in stores), *changed, *readers, "--state", state_path, fails=True)
        try:
            SluiceDataset(wrong, 0, tail="drop").load_state_dict(state)
            self.fail(f"{path}: another seed was not refused")
        except ViewError as error:
            if "seed: " not in str(error) or "seed: " not in message:
                self.fail(f"{path}: the refusal does not name the seed: {error}; {message}")

    def count(self, order, readers, cases):
        options = dict(zip(order[::2], order[1::2]))
        kinds = ["overlap" if "--overlap" in options else options["--packing"], "blocks" if "--shuffle" in options else "permutation",
                 f"mixture by {options['--mixture-by']}" if "--mixture" in options else "no mixture", readers[readers.index("--framework") + 1]]
        for kind in kinds:
            self.kinds[kind] = self.kinds.get(kind, 0) + cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--views", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="work in this folder and leave it")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    draw = random.Random(options.seed)
    started = time.monotonic()
    try:
        combinations = make_stores(folder, draw)
        check, done, resumed = Check(folder, draw), 0, 0
        for number in range(options.views):
            stores = combinations[number % len(combinations)]
            path, order, readers = check.draw_view(number, stores)
            view = View(path)
            cases = (options.cases - done) // (options.views - number)
            for case in range(cases):
                # The last, incomplete step is looked at in every view.
                step = check.steps(view) - 1 if case == 0 else draw.randrange(check.steps(view))
                check.compare(path, view, step, draw.randrange(view.gpus))
            check.compare_ranks(path, view, readers, stores, order)
            # Every position of a run is looked at in Python, so only of runs that are not long.
            if view.total <= 100_000:
                check.resume(number, path, view, stores, order)
                resumed += 1
            check.count(order, readers, cases)
            done += cases
        print(f"{done} (view, step, rank) of {options.views} views, {resumed} resumed: {check.failures} failures, "
              f"{time.monotonic() - started:.0f} s")
        print("cases by kind: " + ", ".join(f"{kind} {count}" for kind, count in sorted(check.kinds.items())))
        return 1 if check.failures else 0
    finally:
        if not options.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
