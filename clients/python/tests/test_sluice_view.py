"""Tests of sluice_view.py: python -m unittest discover -s clients/python/tests

They need NumPy and no sluice: small stores are written here, after the formats' descriptions, and read naively beside the
reader. Where torch is installed its real DataLoader is run with 0, 1, 2 and 4 workers.
"""

import contextlib
import copy
import hashlib
import io
import itertools
import json
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import warnings

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy", file=sys.stderr)
    if __name__ == "__main__":
        sys.exit(0)
    raise unittest.SkipTest("no numpy") from None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import sluice_view  # noqa: E402
from sluice_view import Permutation, SequenceOrder, SluiceDataset, Topology, View, ViewError, order_key  # noqa: E402

try:
    import torch  # noqa: F401
except ImportError:
    torch = None
    print("skipped: no torch (its DataLoader is not run)", file=sys.stderr)


# What the reader reads, written and read plainly


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def write_store(folder, documents, segment_documents=3, dtype="u16", sources=("a",), eos=0, split="train", seed=0):
    """Documents are (source, ids). Segments hold `segment_documents` documents each."""
    os.makedirs(os.path.join(folder, split))
    segments = []
    for first in range(0, len(documents), segment_documents):
        chunk = documents[first : first + segment_documents]
        stem = os.path.join(folder, split, f"seg-{len(segments):05d}")
        ids = [i for _, document in chunk for i in document]
        with open(stem + ".tok", "wb") as file:
            file.write(np.array(ids, dtype="<u2" if dtype == "u16" else "<u4").tobytes())
        end = 0
        with open(stem + ".doc", "wb") as file:
            for number, (source, document) in enumerate(chunk):
                end += len(document)
                file.write(struct.pack("<QQIIQ", end, 0, sources.index(source), 0, first + number))
        segments.append({"name": f"seg-{len(segments):05d}", "tokens": end, "documents": len(chunk)})
    manifest = canonical({
        "format": "sluice-tokens/1", "dtype": dtype, "sources": list(sources), "languages": ["unknown"],
        "tokenizer": {"name": "test", "sha256": "00", "vocabulary": 60000, "eos": eos, "bos": None, "policy": "append-eos"},
        "holdout": {"seed": seed, "splits": []},
        "splits": {split: {"tokens": sum(s["tokens"] for s in segments), "documents": len(documents), "segments": segments}}})
    with open(os.path.join(folder, "manifest.json"), "wb") as file:
        file.write(manifest)
    return sha256(manifest)


def best_fit(lengths, context):
    """Best-fit decreasing as the format describes it, in quadratic time: bins of (document, offset, length)."""
    bins, rests = [], []
    for document, length in enumerate(lengths):
        whole = length // context * context
        bins += [[(document, at, context)] for at in range(0, whole, context)]
        if length > whole:
            rests.append((document, whole, length - whole))
    rooms = []  # (capacity, when it was reached, bin)
    clock = itertools.count()
    for piece in sorted(rests, key=lambda piece: (-piece[2], piece[0], piece[1])):
        fitting = [(room[0], -room[1], room) for room in rooms if room[0] >= piece[2]]
        if fitting:
            room = min(fitting)[2]
            rooms.remove(room)
            number = room[2]
            bins[number].append(piece)
        else:
            room, number = (context, 0, 0), len(bins)
            bins.append([piece])
        if room[0] > piece[2]:
            rooms.append((room[0] - piece[2], next(clock), number))
    return bins


def cut_stream(lengths, context):
    """Documents back to back, cut every `context` ids; the last bin may be short."""
    bins, left = [], 0
    for document, length in enumerate(lengths):
        at = 0
        while at < length:
            if left == 0:
                bins.append([])
                left = context
            take = min(left, length - at)
            bins[-1].append((document, at, take))
            at, left = at + take, left - take
    return bins


def write_packs(folder, documents, context, policy="best-fit", by="none", segment_documents=3, unit_segments=1,
                sources=("a",), split="train"):
    """Writes the pack index; gives its manifest's bytes, and bins by class in the order of sequences: (document, offset, length)."""
    name = f"pack-{context}" + ("" if policy == "best-fit" else "-concat") + ("" if by == "none" else f"-{by}")
    target = os.path.join(folder, split, name)
    os.makedirs(target)
    classes = [] if by == "none" else list(sources)
    units, by_class = [], {label: [] for label in classes or [""]}
    segment_count = -(-len(documents) // segment_documents)
    for first in range(0, segment_count, unit_segments):
        begin = first * segment_documents
        chunk = documents[begin : begin + unit_segments * segment_documents]
        class_bins, all_bins = [], []
        for label in classes or [None]:
            chosen = [n for n, (source, _) in enumerate(chunk) if label in (None, source)]
            pack = best_fit if policy == "best-fit" else cut_stream
            bins = [[(chosen[d], at, length) for d, at, length in pieces]
                    for pieces in pack([len(chunk[n][1]) for n in chosen], context)]
            class_bins.append(len(bins))
            all_bins += bins
            by_class[label or ""] += [[(begin + d, at, length) for d, at, length in pieces] for pieces in bins]
        pieces = [piece for bin in all_bins for piece in bin]
        firsts = list(itertools.accumulate([0] + [len(bin) for bin in all_bins]))
        data = struct.pack("<QQ", len(all_bins), len(pieces)) + struct.pack(f"<{len(firsts)}I", *firsts)
        data += b"".join(struct.pack("<III", *piece) for piece in pieces)
        with open(os.path.join(target, f"seg-{first:05d}.pack"), "wb") as file:
            file.write(data)
        units.append({"name": f"seg-{first:05d}", "first_segment": first,
                      "segments": min(unit_segments, segment_count - first), "bins": len(all_bins), "pieces": len(pieces),
                      "padding": 0, "class_bins": class_bins, "bytes": len(data), "sha256": ""})
    manifest = canonical({"format": "sluice-pack/1", "classes": classes, "units": units})
    with open(os.path.join(target, "manifest.json"), "wb") as file:
        file.write(manifest)
    return manifest, by_class


def make_view(stores, sequences, context=8, overlap=0, policy="concat", index=None, shuffle=None, mixture=None, seed=7,
              gpus=1, micro=1, batch=None, epochs=1, start=0, framework="megatron", tensor=1, cp=1, pipeline=1,
              rank_order="tp-cp-ep-dp-pp"):
    replicas = gpus // (tensor * cp * pipeline)
    named = {"store": stores[0]} if len(stores) == 1 else {"stores": stores}
    return {
        "format": "sluice-view/1",
        "order": {**named, "split": "train", "seed": seed, "sequence": {"tokens": context, "overlap": overlap},
                  "packing": {"policy": policy, "index": index}, "shuffle": shuffle or {"kind": "permutation"},
                  "mixture": mixture, "sequences": sequences, "padding_tokens": 0, "tail_tokens": 0},
        "holdout": {"seed": 0, "splits": []}, "epochs": epochs, "start": start,
        "batch": {"global": batch or micro * replicas, "micro": micro},
        "topology": {"framework": framework, "rank_order": rank_order, "tensor": tensor, "context": cp, "pipeline": pipeline,
                     "expert": 1},
        "gpus": gpus, "gpus_per_node": min(8, gpus)}


def write_view(path, view):
    view = {name: value for name, value in view.items() if name != "sha256"}
    with open(path, "wb") as file:
        file.write(json.dumps({**view, "sha256": hashlib.sha256(canonical(view)).hexdigest()}, indent=1).encode())
    return path


def random_documents(draw, count, longest=20, sources=("a",), top=60000):
    return [(draw.choice(sources), [draw.randrange(1, top) for _ in range(draw.randint(1, longest))]) for _ in range(count)]


def padded(pieces, documents, context, first=0, eos=0):
    """The four rows of a sequence made of pieces."""
    tokens, positions, ids = [], [], []
    for document, offset, length in pieces:
        tokens += documents[document][1][offset : offset + length]
        positions += range(length)
        ids += [first + document] * length
    rest = context - len(tokens)
    return (tokens + [eos] * rest, positions + list(range(rest)), ids + [-1] * rest,
            [True] * len(tokens) + [False] * rest)


def stream_sequences(documents, context, overlap):
    """Concat, one id at a time."""
    stream = [(i, number) for number, (_, ids) in enumerate(documents) for i in ids]
    result, step = [], context - overlap
    for first in range(0, len(stream) - context + 1, step):
        window = stream[first : first + context]
        positions = []
        for at, (_, number) in enumerate(window):
            positions.append(positions[-1] + 1 if at and window[at - 1][1] == number else 0)
        result.append(([i for i, _ in window], positions, [n for _, n in window], [True] * context))
    return result


def naive_order(count, seed, epoch, number=0, blocks=None):
    """The sequences of an epoch as a list."""
    def permuted(items, stream):
        permutation = Permutation(len(items), order_key(seed, epoch, (number << 40) + stream))
        return [items[permutation.map(i)] for i in range(len(items))]
    if blocks is None:
        return permuted(list(range(count)), 0)
    size, width = blocks
    order = permuted([list(range(first, min(count, first + size))) for first in range(0, count, size)], 1)
    result = []
    for window in range(-(-len(order) // width)):
        members = [i for block in order[window * width : (window + 1) * width] for i in block]
        result += permuted(members, (1 << 32) + window)
    return result


def rows(sequence):
    return tuple(field.tolist() for field in sequence)


class StoreCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def small(self, sequences=23, context=4, **options):
        """A view of `sequences` concat sequences; the store is written once."""
        if not os.path.exists(self.path("store")):
            draw = random.Random(5)
            documents, left = [], sequences * context
            while left:
                length = min(left, draw.randint(1, 9))
                documents.append(("a", [draw.randrange(1, 60000) for _ in range(length)]))
                left -= length
            self.fingerprint = write_store(self.path("store"), documents)
        view = make_view([self.fingerprint], sequences, context, **options)
        return View(write_view(self.path("view.json"), view))


# The order


class OrderTests(unittest.TestCase):
    vectors = [
        (1, 0, [0], 0), (5, 42, [1, 0, 2, 4, 3], 3), (16, 0, [4, 6, 12, 11, 1, 8, 5, 3], 14),
        (17, 0, [1, 8, 11, 10, 16, 6, 3, 2], 12), (1000, 42, [866, 242, 819, 285, 670, 583, 799, 311], 120),
        (65536, 7, [5831, 4901, 42304, 51238, 27053, 32458, 60144, 57686], 53759),
        (65537, 7, [33621, 16061, 40108, 24509, 29453, 2631, 45887, 14792], 22895),
        (262145, 1, [153130, 184473, 214137, 53464, 212180, 221678, 124052, 251707], 108051),
        (73242187, 20260823,
         [62349853, 58201900, 24865425, 55244703, 6133888, 50253578, 71244815, 36412438], 72650906),
        (4 * 10**9, 7,
         [802026057, 148219059, 994666948, 266888514, 3034780828, 75951125, 2080825350, 3164624115], 338219175),
        ((1 << 40) + 1, 9,
         [483401255657, 67337148868, 363588187806, 7730860363, 484202359986, 1014400471864, 853389428401, 739900138260],
         503413844812),
    ]

    def test_permutation_vectors(self):
        for count, key, first, last in self.vectors:
            permutation = Permutation(count, key)
            self.assertEqual([permutation.map(i) for i in range(len(first))], first)
            self.assertEqual(permutation.map(count - 1), last)
            indices = np.array(list(range(len(first))) * 3 + [count - 1])
            self.assertEqual(permutation.map_array(indices).tolist(), first * 3 + [last])
            self.assertEqual([permutation.inverse(value) for value in first], list(range(len(first))))

    def test_key_vectors(self):
        for seed, epoch, stream, key, first, inverse in [
            (0, 0, 0, 0xFEB92A11CB9EFB3F, [783, 739, 318, 105, 933, 786], 532),
            (0, 1, 0, 0x13827AF44B2DD6DF, [131, 200, 860, 976, 101, 641], 96),
            (1, 0, 0, 0xB6C6D69305C357EB, [394, 955, 747, 441, 321, 136], 111),
            (1234, 0, 0, 0xE1D1C8FCCEC8900A, [192, 727, 768, 15, 366, 108], 121),
            (1234, 0, 1, 0x8CA178C5A8893025, [385, 413, 212, 600, 763, 386], 640),
        ]:
            self.assertEqual(order_key(seed, epoch, stream), key)
            permutation = Permutation(1000, key)
            self.assertEqual([permutation.map(i) for i in range(6)], first)
            self.assertEqual(permutation.inverse(0), inverse)

    def test_permutation_is_a_bijection(self):
        for count in [*range(1, 301), (1 << 10) - 1, 1 << 10, (1 << 10) + 1, (1 << 16) + 1]:
            values = Permutation(count, count * 77).map_array(np.arange(count))
            self.assertEqual(np.sort(values).tolist(), list(range(count)))

    def test_array_and_inverse_agree_with_single_numbers(self):
        draw = random.Random(1)
        for count in [7, 1000, 1 << 20, (1 << 62) + 5, (1 << 63) - 1]:
            permutation = Permutation(count, draw.getrandbits(64))
            indices = [draw.randrange(count) for _ in range(50)]
            values = permutation.map_array(np.array(indices)).tolist()
            self.assertEqual(values, [permutation.map(i) for i in indices])
            self.assertEqual([permutation.inverse(value) for value in values], indices)

    def test_blocks_vector(self):
        order = SequenceOrder(22, 0, 0, blocks=(4, 2)).map_array(np.arange(22))
        self.assertEqual(order.tolist(),
                         [12, 19, 16, 14, 15, 17, 18, 13, 3, 2, 1, 0, 21, 20, 8, 5, 11, 7, 6, 10, 9, 4])

    def test_blocks_agree_with_lists(self):
        draw = random.Random(2)
        for count in list(range(1, 40)) + [draw.randint(40, 500) for _ in range(30)]:
            blocks = (draw.randint(1, 12), draw.randint(1, 6))
            seed, epoch, number = draw.randint(0, 9), draw.randint(0, 3), draw.randint(0, 2)
            expected = naive_order(count, seed, epoch, number, blocks)
            self.assertEqual(sorted(expected), list(range(count)))
            order = SequenceOrder(count, seed, epoch, number, blocks)
            self.assertEqual(order.map_array(np.arange(count)).tolist(), expected, (count, blocks))
            one = draw.randrange(count)
            self.assertEqual(order.map_array(np.array([one])).tolist(), [expected[one]])


class TopologyTests(unittest.TestCase):
    def place(self, rank, *sizes, **options):
        return tuple(Topology("megatron", *sizes, **options).rank(rank)[3:7])

    def test_reference_ranks(self):
        for world, tp, cp, pp, places in [
            (16, 2, 2, 2, {0: (0, 0, 0, 0), 1: (1, 0, 0, 0), 2: (0, 1, 0, 0), 4: (0, 0, 1, 0), 8: (0, 0, 0, 1),
                           15: (1, 1, 1, 1)}),
            (1000, 8, 1, 5, {8: (0, 0, 1, 0), 199: (7, 0, 24, 0), 200: (0, 0, 0, 1), 999: (7, 0, 24, 4)}),
            (1024, 8, 1, 8, {127: (7, 0, 15, 0), 128: (0, 0, 0, 1), 777: (1, 0, 1, 6), 1023: (7, 0, 15, 7)}),
            (10000, 8, 1, 10, {999: (7, 0, 124, 0), 1000: (0, 0, 0, 1), 9999: (7, 0, 124, 9)}),
            (10240, 8, 2, 16, {8: (0, 1, 0, 0), 16: (0, 0, 1, 0), 640: (0, 0, 0, 1), 5555: (3, 0, 27, 8)}),
        ]:
            for rank, expected in places.items():
                self.assertEqual(self.place(rank, world, tp, cp, pp), expected)
        other = [self.place(rank, 16, 2, 2, 2, rank_order="tp-cp-ep-pp-dp")[2] for rank in range(16)]
        self.assertEqual(other, [0] * 8 + [1] * 8)

    def test_context_slices(self):
        self.assertEqual(Topology(gpus=2, context=2).rank(0, 4096).cp_slices, ((0, 1024), (3072, 4096)))
        self.assertEqual(Topology(gpus=2, context=2).rank(1, 4096).cp_slices, ((1024, 2048), (2048, 3072)))
        self.assertEqual(Topology(gpus=4, context=4).rank(1, 8192).cp_slices, ((1024, 2048), (6144, 7168)))

    def test_who_reads(self):
        def readers(framework):
            topology = Topology(framework, gpus=6, tensor=2, pipeline=3)
            return [rank for rank in range(6) if topology.rank(rank).reads]
        self.assertEqual(readers("megatron"), [0, 4])
        self.assertEqual(readers("gpt-neox"), [0, 4])
        self.assertEqual(readers("deepspeed"), [0, 1, 4, 5])
        self.assertEqual(readers("nanotron"), [0, 1, 4, 5])
        self.assertEqual(readers("torchtitan"), list(range(6)))
        self.assertEqual(readers("olmo"), list(range(6)))

    def test_shapes_that_do_not_fit_are_refused(self):
        for options in [{"gpus": 6, "tensor": 4}, {"framework": "other"}, {"rank_order": "tp-dp"},
                        {"rank_order": "tp-tp-dp-pp"}, {"gpus": 2, "context": 2, "rank_order": "tp-dp-pp"}]:
            with self.assertRaises(ViewError):
                Topology(**options)
        with self.assertRaisesRegex(ViewError, "rank 4 lies outside 0 to 3"):
            Topology(gpus=4).rank(4)


# What stands in a sequence


class PackingTests(unittest.TestCase):
    def test_naive_best_fit_is_that_of_the_format(self):
        self.assertEqual(best_fit([5, 3, 9, 4, 1, 7, 2, 8, 6, 17], 8), [
            [(2, 0, 8)], [(7, 0, 8)], [(9, 0, 8)], [(9, 8, 8)], [(5, 0, 7), (2, 8, 1)], [(8, 0, 6), (6, 0, 2)],
            [(0, 0, 5), (1, 0, 3)], [(3, 0, 4), (4, 0, 1), (9, 16, 1)]])


class ReadingTests(StoreCase):
    def check(self, view, expected):
        self.assertEqual(view.sequences, len(expected))
        for number, wanted in enumerate(expected):
            self.assertEqual(rows(view.sequence(number)), wanted, number)
            at = 0
            for piece in view.pieces(number):
                self.assertEqual(piece.start, at)
                self.assertEqual(wanted[2][at : at + piece.tokens], [piece.document] * piece.tokens)
                at += piece.tokens
            self.assertEqual(at, sum(wanted[3]))
        order = list(range(len(expected))) * 2
        random.Random(0).shuffle(order)
        batch = view.read_sequences(order)
        self.assertEqual(batch.tokens.tolist(), [expected[number][0] for number in order])

    def test_concat(self):
        draw = random.Random(11)
        for case in range(40):
            documents = random_documents(draw, draw.randint(4, 40), longest=draw.choice([1, 3, 20, 60]))
            context, overlap = draw.randint(2, 30), case % 2
            expected = stream_sequences(documents, context, overlap)
            if not expected:
                continue
            folder = self.path(str(case))
            dtype = draw.choice(["u16", "u32"])
            store = write_store(os.path.join(folder, "s"), documents, draw.randint(1, 12), dtype)
            path = write_view(os.path.join(folder, "v"), make_view([store], len(expected), context, overlap))
            self.check(View(path, open_files=8), expected)

    def test_concat_of_many_short_documents(self):
        documents = random_documents(random.Random(3), 900, longest=4)
        store = write_store(self.path("s"), documents, 500)
        expected = stream_sequences(documents, 300, 0)
        self.check(View(write_view(self.path("v"), make_view([store], len(expected), 300))), expected)

    def test_packed(self):
        draw = random.Random(12)
        for case in range(40):
            documents = random_documents(draw, draw.randint(1, 50), longest=draw.choice([2, 9, 70]))
            context, size, unit = draw.randint(1, 60), draw.randint(1, 12), draw.randint(1, 3)
            folder = self.path(str(case))
            store = write_store(os.path.join(folder, "s"), documents, size, draw.choice(["u16", "u32"]), eos=case)
            packs, bins = write_packs(os.path.join(folder, "s"), documents, context, segment_documents=size, unit_segments=unit)
            view = make_view([store], len(bins[""]), context, policy="best-fit", index=sha256(packs))
            expected = [padded(pieces, documents, context, eos=case) for pieces in bins[""]]
            self.check(View(write_view(os.path.join(folder, "v"), view), open_files=8), expected)

    def test_packed_of_many_short_documents(self):
        documents = random_documents(random.Random(4), 900, longest=3)
        store = write_store(self.path("s"), documents, 100)
        packs, bins = write_packs(self.path("s"), documents, 200, segment_documents=100, unit_segments=9)
        view = make_view([store], len(bins[""]), 200, policy="best-fit", index=sha256(packs))
        self.check(View(write_view(self.path("v"), view)), [padded(pieces, documents, 200) for pieces in bins[""]])

    def test_several_stores_are_read_as_one(self):
        draw = random.Random(13)
        parts = [random_documents(draw, 17), random_documents(draw, 5), random_documents(draw, 11)]
        stores = [write_store(self.path(f"s{n}"), part, 4) for n, part in enumerate(parts)]
        documents = sum(parts, [])
        expected = stream_sequences(documents, 7, 1)
        view = View(write_view(self.path("v"), make_view(stores, len(expected), 7, 1)))
        self.assertEqual(view.documents, len(documents))
        self.check(view, expected)
        manifests, expected, first = b"", [], 0
        for n, part in enumerate(parts):
            packs, bins = write_packs(self.path(f"s{n}"), part, 9, segment_documents=4)
            expected += [padded(pieces, part, 9, first) for pieces in bins[""]]
            manifests += packs
            first += len(part)
        view = make_view(stores, len(expected), 9, policy="best-fit", index=sha256(manifests))
        self.check(View(write_view(self.path("v2"), view)), expected)
        # Given stores may come in any order; the view's counts.
        self.check(View(self.path("v2"), [self.path("s2"), self.path("s0"), self.path("s1")]), expected)

    def test_mixture_over_two_stores(self):
        for policy in ["best-fit", "concat"]:
            draw = random.Random(14)
            names = [("a", "b"), ("b", "c")]
            parts = [random_documents(draw, 40, sources=names[0]), random_documents(draw, 30, sources=names[1])]
            stores, manifests, binned, first = [], b"", {}, 0
            for n, part in enumerate(parts):
                folder = self.path(policy, f"s{n}")
                stores.append(write_store(folder, part, 5, sources=names[n]))
                packs, bins = write_packs(folder, part, 16, policy, "source", 5, 2, names[n])
                manifests += packs
                for name, found in bins.items():
                    binned.setdefault(name, []).extend(padded(pieces, part, 16, first) for pieces in found)
                first += len(part)
            # Class c is asked for before b, a not at all.
            chosen, shares, block, epochs = ["c", "b"], [3, 1], 4, 6
            expected = binned["c"] + binned["b"]
            classes = [{"name": name, "weight_ppm": 0, "repetitions_max": None, "share": share, "sequences": len(binned[name])}
                       for name, share in zip(chosen, shares)]
            mixture = {"by": "source", "epochs": epochs, "block": block, "classes": classes}
            view = View(write_view(self.path(policy, "v"), make_view(
                stores, len(expected), 16, policy=policy, index=sha256(manifests), mixture=mixture, epochs=epochs)))
            self.check(view, expected)
            self.check_mixture(view, [len(binned[name]) for name in chosen], shares, block, None)
            blocks = {"kind": "blocks", "block": 3, "window": 2}
            view = View(write_view(self.path(policy, "w"), make_view(
                stores, len(expected), 16, policy=policy, index=sha256(manifests), mixture=mixture, epochs=epochs, shuffle=blocks)))
            self.check_mixture(view, [len(binned[name]) for name in chosen], shares, block, (3, 2))

    def check_mixture(self, view, counts, shares, block, shuffle):
        total = view.total
        epochs, sequences = view.sequences_at(np.arange(total))
        turns, expected = [0] * len(counts), {}
        places = [kind for kind, share in enumerate(shares) for _ in range(share)]
        for number in range(-(-total // block)):
            permutation = Permutation(block, order_key(view.seed, number, 1 << 62))
            slots = [permutation.map(r) for r in range(block)]
            # Within a block a class's readings are numbered by their slot.
            for r, slot in enumerate(slots):
                kind = places[slot]
                j = number * shares[kind] + slot - places.index(kind)
                expected[number * block + r] = (kind, *divmod(j, counts[kind]))
                turns[kind] += 1
        orders = {}
        for position in range(total):
            kind, epoch, index = expected[position]
            if (kind, epoch) not in orders:
                orders[kind, epoch] = naive_order(counts[kind], view.seed, epoch, kind, shuffle)
            self.assertEqual((epochs[position], sequences[position]),
                             (epoch, sum(counts[:kind]) + orders[kind, epoch][index]))
        # Shares hold in every block, and a class is read again only when it was read whole.
        for first in range(0, total - block + 1, block):
            kinds = [0 if s < counts[0] else 1 for s in sequences[first : first + block]]
            self.assertEqual([kinds.count(kind) for kind in range(len(counts))], shares)
        read = [s - counts[0] for s in sequences.tolist() if s >= counts[0]]
        times = [read.count(sequence) for sequence in range(counts[1])]
        self.assertLessEqual(max(times) - min(times), 2)

    def test_files_stay_few(self):
        documents = random_documents(random.Random(6), 400)
        store = write_store(self.path("s"), documents, 4)
        expected = stream_sequences(documents, 9, 0)
        view = View(write_view(self.path("v"), make_view([store], len(expected), 9)), open_files=10)
        before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
        self.check(view, expected)
        self.assertLessEqual(view.open_files, 10)
        if before is not None:
            self.assertLessEqual(len(os.listdir("/proc/self/fd")) - before, 10)

    def test_damage_is_an_error_that_names_the_file(self):
        # Sequences of few pieces and of many, which are read in another way.
        for context in [10, 150]:
            with self.subTest(context=context):
                self.damage(self.path(str(context)), context)

    def damage(self, folder, context):
        documents = random_documents(random.Random(8), 60, longest=12)
        store = write_store(os.path.join(folder, "s"), documents, 30)
        packs, bins = write_packs(os.path.join(folder, "s"), documents, context, segment_documents=30, unit_segments=2)
        packed = write_view(os.path.join(folder, "p"), make_view([store], len(bins[""]), context, policy="best-fit", index=sha256(packs)))
        plain = write_view(os.path.join(folder, "c"), make_view([store], len(stream_sequences(documents, context, 0)), context))
        files = [os.path.join(folder, "s", "train", name)
                 for name in ("seg-00000.doc", "seg-00001.doc", os.path.join(f"pack-{context}", "seg-00000.pack"))]
        draw, caught = random.Random(9), 0
        for case in range(300):
            path = draw.choice(files)
            with open(path, "rb") as file:
                good = file.read()
            bad = bytearray(good)
            if case % 10 == 0:
                bad = bad[: draw.randrange(len(bad))]
            elif path.endswith(".doc"):
                at = draw.randrange(len(bad) // 32) * 32
                bad[at : at + 8] = struct.pack("<Q", draw.choice([0, 1, draw.getrandbits(64), draw.randrange(400)]))
            else:
                at = draw.randrange(len(bad) // 4) * 4
                bad[at : at + 4] = struct.pack("<I", draw.choice([0, draw.getrandbits(32), draw.randrange(70)]))
            with open(path, "wb") as file:
                file.write(bad)
            try:
                for name in (packed, plain):
                    view = View(name)
                    for number in range(view.sequences):
                        view.sequence(number)
                        view.pieces(number)
            except ViewError as error:
                caught += 1
                self.assertIn(os.path.basename(os.path.dirname(path)), str(error))
            with open(path, "wb") as file:
                file.write(good)
        self.assertGreater(caught, 150)
        # A piece one token longer than its document, the others as they were.
        with open(files[2], "r+b") as file:
            first_piece = 16 + 4 * (len(bins[""]) + 1)
            document, offset, length = bins[""][-1][-1]
            file.seek(-12, os.SEEK_END)
            self.assertEqual(struct.unpack("<III", file.read(12)), (document, offset, length))
            self.assertGreater(file.tell(), first_piece)
            file.seek(-12, os.SEEK_END)
            file.write(struct.pack("<III", document, offset + 1, length))
        with self.assertRaisesRegex(ViewError, "names tokens that its documents do not have"):
            View(packed).sequence(len(bins[""]) - 1)

    @unittest.skipUnless(os.path.exists("/proc/self/smaps"), "skipped: no /proc/self/smaps")
    def test_readahead_is_off(self):
        view = self.small()
        view.sequence(0)
        with open("/proc/self/smaps") as file:
            maps = file.read()
        for suffix in (".tok", ".doc"):
            entry = maps[maps.index(os.path.join(self.folder, "store", "train", "seg-00000" + suffix)) :]
            flags = entry[entry.index("VmFlags:") :].splitlines()[0].split()
            self.assertIn("rr", flags)


# Views


class ViewTests(StoreCase):
    def test_the_store_is_found_around_the_view_or_given(self):
        documents = random_documents(random.Random(1), 9)
        folder = self.path("run", "store")
        store = write_store(folder, documents)
        count = len(stream_sequences(documents, 5, 0))
        os.makedirs(self.path("run", "views", "deep"))
        view = make_view([store], count, 5)
        for place in [("run", "store", "v"), ("run", "v"), ("run", "views", "v"), ("run", "store", "train", "v")]:
            self.assertEqual(View(write_view(self.path(*place), view)).sequences, count)
        far = write_view(self.path("run", "views", "deep", "v"), view)
        with self.assertRaisesRegex(ViewError, "order.store: .*not beside the view"):
            View(far)
        self.assertEqual(View(far, folder).sequences, count)
        other = self.path("other")
        write_store(other, documents[:-1])
        with self.assertRaisesRegex(ViewError, f"order.store: .*{store}.*another corpus"):
            View(far, other)
        with self.assertRaisesRegex(ViewError, "No such file"):
            View(far, self.path("missing"))

    def test_what_does_not_fit_is_refused_by_name(self):
        documents = random_documents(random.Random(1), 30)
        store = write_store(self.path("s"), documents)
        packs, bins = write_packs(self.path("s"), documents, 5)
        good = make_view([store], len(stream_sequences(documents, 5, 0)), 5)
        View(write_view(self.path("v"), good))

        def refused(message, *path, value=None, delete=False):
            bad = copy.deepcopy(good)
            inner = bad
            for name in path[:-1]:
                inner = inner[name]
            if delete:
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            with self.assertRaisesRegex(ViewError, message):
                View(write_view(self.path("v"), bad))

        refused("format: .*sluice-view/1", "format", value="sluice-view/2")
        refused("order.split: .*valid", "order", "split", value="valid")
        refused("order.sequences", "order", "sequences", value=3)
        refused("order.seed: .*missing", "order", "seed", delete=True)
        refused("order.seed: -1 lies outside", "order", "seed", value=-1)
        refused("order.seed: expected a number", "order", "seed", value=True)
        refused("order.sequence: .*object", "order", "sequence", value=5)
        refused("order.packing.policy: .*worst-fit", "order", "packing", "policy", value="worst-fit")
        refused("order.packing.index: best-fit needs one", "order", "packing", "policy", value="best-fit")
        refused("order.packing.index: .*not the view's", "order", "packing", value={"policy": "best-fit", "index": "sha256:0"})
        refused("order.packing.index: .*missing: .*pack-5-concat", "order", "packing", value={"policy": "concat", "index": "x"})
        refused("order.sequences: .*gives", "order", "packing", value={"policy": "best-fit", "index": sha256(packs)})
        refused("order.shuffle.kind", "order", "shuffle", "kind", value="random")
        refused("order.shuffle.block: .*missing", "order", "shuffle", "kind", value="blocks")
        refused("holdout", "holdout", value={"seed": 1, "splits": []})
        refused("epochs", "epochs", value=0)
        refused("start", "start", value=10**9)
        refused("topology.framework", "topology", "framework", value="other")
        refused("2.* GPUs? .*multiple|topology: 1 GPUs", "topology", "tensor", value=2)
        refused("batch.global", "batch", "micro", value=2)
        with open(write_view(self.path("v"), good)) as file:
            text = file.read()
        with open(self.path("v"), "w") as file:
            file.write(text.replace('"seed": 7', '"seed": 8'))
        with self.assertRaisesRegex(ViewError, "sha256: .*edited or damaged"):
            View(self.path("v"))
        for junk in [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100000]:
            with open(self.path("v"), "wb") as file:
                file.write(junk)
            with self.assertRaises(ViewError):
                View(self.path("v"))

    def test_stores_that_do_not_belong_together_are_refused(self):
        documents = random_documents(random.Random(1), 9)
        for n, (field, options) in enumerate([("dtype", {"dtype": "u32"}), ("tokenizer.eos", {"eos": 3}), ("holdout", {"seed": 4})]):
            stores = [write_store(self.path(str(n), "a"), documents),
                      write_store(self.path(str(n), "b"), documents[1:], **options)]
            with self.assertRaisesRegex(ViewError, f"{field} differs"):
                View(write_view(self.path(str(n), "v"), make_view(stores, 5)))

    def test_the_order_hash_ignores_who_reads(self):
        base = self.small()
        self.assertEqual(base.order_hash, self.small(gpus=4, batch=8, framework="olmo", epochs=3).order_hash)
        self.assertNotEqual(base.order_hash, self.small(seed=8).order_hash)

    def test_a_view_can_be_pickled(self):
        view = self.small()
        again = pickle.loads(pickle.dumps(view))
        self.assertEqual(rows(again.sequence(3)), rows(view.sequence(3)))
        self.assertLess(len(pickle.dumps(view)), 10000)


# Who reads what


class StepTests(StoreCase):
    def test_reference_example(self):
        orders = {1: [[[6, 0, 5, 7]], [[3, 2, 4, 1]], [[4, 6, 3, 2]], [[0, 1, 7, 5]]], 2: [[[6, 5], [0, 7]], [[3, 4], [2, 1]]],
                  4: [[[6], [0], [5], [7]], [[3], [2], [4], [1]]]}
        for gpus, steps in orders.items():
            view = self.small(8, seed=0, gpus=gpus, batch=4, epochs=2)
            for step, ranks in enumerate(steps):
                for rank, sequences in enumerate(ranks):
                    self.assertEqual([place.sequence for place in view.places(step, rank)], sequences)

    def test_rules_of_the_frameworks(self):
        for framework, expected in [
            ("megatron", [[0, 1, 4, 5], [2, 3, 6, 7]]), ("nanotron", [[0, 1, 4, 5], [2, 3, 6, 7]]),
            ("torchtitan", [[0, 1, 4, 5], [2, 3, 6, 7]]), ("deepspeed", [[0, 1, 2, 3], [4, 5, 6, 7]]),
            ("gpt-neox", [[0, 1, 2, 3], [4, 5, 6, 7]]), ("olmo", [[0, 2, 4, 6], [1, 3, 5, 7]]),
        ]:
            view = self.small(40, gpus=2, batch=8, micro=2, framework=framework)
            for rank in range(2):
                places = view.places(1, rank)
                self.assertEqual([place.position - 8 for place in places], expected[rank])
                self.assertEqual([(place.micro, place.item) for place in places], [(0, 0), (0, 1), (1, 0), (1, 1)])
                self.assertEqual(view.places(1, rank, micro=1), places[2:])

    def test_every_sequence_once_per_epoch_for_all_world_sizes(self):
        for gpus, framework in itertools.product(range(1, 17), Topology.FRAMEWORKS):
            for micro, micros in [(1, 1), (2, 3)]:
                view = self.small(23, gpus=gpus, micro=micro, batch=gpus * micro * micros, framework=framework, epochs=3)
                steps = -(-view.total // view.global_batch)
                read, totals = {}, [0] * gpus
                for step, rank in itertools.product(range(steps), range(gpus)):
                    for place in view.places(step, rank):
                        self.assertNotIn(place.position, read)
                        read[place.position] = place.sequence
                        totals[rank] += 1
                self.assertEqual(sorted(read), list(range(69)))
                self.assertLessEqual(max(totals) - min(totals), 1)
                for epoch in range(3):
                    self.assertEqual([read[epoch * 23 + i] for i in range(23)], naive_order(23, 7, epoch))
                self.assertEqual(view.places(steps, 0), [])

    def test_global_batches_do_not_depend_on_the_replicas(self):
        for framework in Topology.FRAMEWORKS:
            batches = set()
            for gpus in [1, 2, 3, 4, 6, 12]:
                view = self.small(40, gpus=gpus, batch=12, framework=framework)
                batches.add(tuple(frozenset(p.sequence for r in range(gpus) for p in view.places(s, r)) for s in range(3)))
            self.assertEqual(len(batches), 1)

    def test_peers_read_the_same_and_replicas_do_not(self):
        view = self.small(40, gpus=16, tensor=2, cp=2, pipeline=2, batch=4)
        for rank in range(16):
            place = view.rank(rank)
            twin = next(r for r in range(16) if view.rank(r).dp == place.dp)
            self.assertEqual(view.places(0, rank), view.places(0, twin))

    def test_read_gives_the_rows_of_its_places(self):
        view = self.small(40, gpus=2, batch=8, micro=2)
        batch = view.read(1, 1, micro=1)
        self.assertEqual(batch.tokens.shape, (2, 4))
        for row, place in enumerate(view.places(1, 1, micro=1)):
            self.assertEqual([field[row].tolist() for field in batch], list(rows(view.sequence(place.sequence))))

    def test_a_start_shifts_the_steps(self):
        view = self.small(40, gpus=2, batch=4, start=7)
        self.assertEqual([p.position for r in range(2) for p in view.places(1, r)], [11, 13, 12, 14])

    def test_bad_arguments_are_errors(self):
        view = self.small()
        for call in [lambda: view.places(-1, 0), lambda: view.places(0, 1), lambda: view.places(0, 0, micro=1),
                     lambda: view.sequence(23), lambda: view.pieces(-1), lambda: view.read_sequences([-2])]:
            self.assertRaises(ViewError, call)


# The dataset


def samples(dataset, **options):
    return [sample.tokens.tolist() for sample in (dataset.iterate(**options) if options else dataset)]


class DatasetTests(StoreCase):
    def expected(self, view, rank, steps=None):
        steps = view.full_steps() if steps is None else steps
        return [row for step in range(steps) for row in view.read(step, rank).tokens.tolist()]

    def test_samples_are_those_of_the_steps(self):
        for framework in Topology.FRAMEWORKS:
            view = self.small(53, gpus=3, micro=2, batch=12, framework=framework, epochs=2)
            for rank in range(3):
                dataset = SluiceDataset(view, rank, tail="drop")
                self.assertEqual(samples(dataset), self.expected(view, rank))
                self.assertEqual(len(dataset), len(samples(dataset)))
                dealt = SluiceDataset(view, rank, tail="deal")
                self.assertEqual(samples(dealt), self.expected(view, rank, view.full_steps() + 1))
                self.assertEqual(len(dealt), len(samples(dealt)))

    def test_tails(self):
        view = self.small(23, gpus=4, batch=8)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            SluiceDataset(view, 1)
            self.assertEqual(len(caught), 0)
            dropped = SluiceDataset(view, 0)
            self.assertIn("7 sequences behind the last full step are not read", str(caught[0].message))
        self.assertEqual((dropped.left_over, len(dropped), dropped.steps), (7, 4, 2))
        self.assertEqual([len(SluiceDataset(view, r, tail="deal")) for r in range(4)], [6, 6, 6, 5])
        padded = [list(SluiceDataset(view, rank, tail="pad")) for rank in range(4)]
        self.assertEqual([len(read) for read in padded], [6] * 4)
        self.assertEqual(sum(bool(sample.loss_mask.any()) for read in padded for sample in read), 23)
        empty = padded[3][-1]
        self.assertEqual((empty.tokens.tolist(), empty.document_ids.tolist()), ([0] * 4, [-1] * 4))
        self.assertRaises(ViewError, SluiceDataset, view, 0, tail="other")

    def test_workers_together_give_the_order_of_one(self):
        for batch_size, workers, tail in itertools.product([None, 1, 3, 4], [1, 2, 4, 7], ["drop", "deal", "pad"]):
            view = self.small(53, gpus=2, micro=2, batch=8, epochs=20)
            dataset = SluiceDataset(view, 1, batch_size=batch_size, tail=tail)
            size, alone = dataset.batch_size, samples(dataset)
            streams = [samples(dataset, worker=w, workers=workers) for w in range(workers)]
            batches = [[stream[at : at + size] for at in range(0, len(stream), size)] for stream in streams]
            merged = [batch for turn in itertools.zip_longest(*batches) for batch in turn if batch is not None]
            self.assertEqual([sample for batch in merged for sample in batch], alone)

    def test_batched_gives_whole_micro_batches(self):
        view = self.small(53, gpus=2, micro=2, batch=8)
        dataset = SluiceDataset(view, 0, batched=True, tail="deal")
        batches = list(dataset)
        self.assertEqual(len(batches), len(dataset))
        self.assertEqual([row for batch in batches for row in batch.tokens.tolist()], samples(SluiceDataset(view, 0, tail="deal")))
        self.assertEqual(dataset.state_dict()["next_position"], 53)

    def test_state_counts_whole_steps_of_the_job(self):
        view = self.small(53, gpus=2, micro=2, batch=8)
        dataset = SluiceDataset(view, 1, tail="drop")
        self.assertRaisesRegex(ViewError, "needs steps=", dataset.state_dict)
        self.assertEqual(dataset.state_dict(steps=3)["next_position"], 24)
        stream = iter(dataset)
        for read, position in [(3, 0), (4, 8), (7, 8), (8, 16)]:
            while dataset._read is None or dataset._read < read:
                next(stream)
            self.assertEqual(dataset.state_dict()["next_position"], position)
        self.assertRaisesRegex(ViewError, "steps: 7 lies outside 0 to 6", dataset.state_dict, 7)
        state = dataset.state_dict()
        self.assertEqual(list(state), ["format", "order_hash", "next_position", "order"])
        self.assertEqual(json.loads(json.dumps(state)), state)
        dealt = SluiceDataset(view, 1, tail="deal")
        self.assertEqual(dealt.state_dict(steps=7)["next_position"], 53)

    def test_resume_at_every_position_on_another_count_of_ranks(self):
        whole = naive_order(23, 7, 0) + naive_order(23, 7, 1)
        for position in range(47):
            view = self.small(23, gpus=1 + position % 5, batch=(1 + position % 5) * 2, framework=Topology.FRAMEWORKS[position % 6],
                              epochs=2)
            state = json.loads(json.dumps(view.state(position)))
            rest = {}
            for rank in range(view.gpus):
                dataset = SluiceDataset(view, rank, tail="deal")
                dataset.load_state_dict(state)
                items = np.arange(dataset.samples)
                positions = view.rank_positions(rank, items, dataset.start)
                for at, sample in zip(positions.tolist(), dataset):
                    rest[at] = sample.tokens.tolist()
            self.assertEqual(sorted(rest), list(range(position, 46)))
            for at, tokens in rest.items():
                self.assertEqual(tokens, view.sequence(whole[at]).tokens.tolist())

    def test_a_view_that_starts_at_a_state_reads_the_same(self):
        view = self.small(53, gpus=2, batch=8)
        state = SluiceDataset(view, 0, tail="drop").state_dict(steps=2)
        other = self.small(53, gpus=4, batch=12)
        dataset = SluiceDataset(other, 3, tail="deal")
        dataset.load_state_dict(state)
        started = self.small(53, gpus=4, batch=12, start=16)
        self.assertEqual(samples(dataset), samples(SluiceDataset(started, 3, tail="deal")))
        self.assertEqual(dataset.state_dict()["next_position"], 53)
        # What was read before the state was loaded says nothing about the run that goes on.
        dataset.load_state_dict(state)
        self.assertRaisesRegex(ViewError, "needs steps=", dataset.state_dict)

    def test_another_order_is_refused_with_what_differs(self):
        state = self.small(23).state(4)
        with self.assertRaises(ViewError) as caught:
            SluiceDataset(self.small(23, seed=9, shuffle={"kind": "blocks", "block": 2, "window": 2}), 0).load_state_dict(state)
        self.assertIn("\n  seed: 7 in the state, 9 here", str(caught.exception))
        self.assertIn("\n  shuffle.kind: permutation in the state, blocks here", str(caught.exception))
        self.assertNotIn("split", str(caught.exception))
        dataset = SluiceDataset(self.small(23), 0)
        for name, value, message in [("format", "x", "format"), ("order_hash", "x", "order_hash: .*damaged"),
                                     ("next_position", 24, "next_position: 24 lies outside"), ("order", None, "order")]:
            self.assertRaisesRegex(ViewError, message, dataset.load_state_dict, {**state, name: value})

    def test_labels_follow_their_inputs(self):
        for overlap in [0, 1]:
            documents = random_documents(random.Random(3), 40)
            folder = self.path(f"x{overlap}")
            store = write_store(os.path.join(folder, "s"), documents)
            count = len(stream_sequences(documents, 8 + overlap, overlap))
            view = View(write_view(os.path.join(folder, "v"), make_view([store], count, 8 + overlap, overlap)))
            plain = list(SluiceDataset(view, 0))
            for sequence, shifted in zip(plain, SluiceDataset(view, 0, shift=True)):
                self.assertEqual(shifted.tokens.tolist(), sequence.tokens.tolist()[:8])
                following = sequence.tokens.tolist()[1:] + [0] * (1 - overlap)
                self.assertEqual(shifted.labels.tolist(), following)
                self.assertEqual(shifted.loss_mask.tolist(), [True] * 7 + [bool(overlap)])

    def test_context_parallel_ranks_share_a_sequence(self):
        documents = random_documents(random.Random(3), 40)
        store = write_store(self.path("s"), documents)
        count = len(stream_sequences(documents, 17, 1))
        view = View(write_view(self.path("v"), make_view([store], count, 17, 1, gpus=4, cp=4)))
        parts = [list(SluiceDataset(view, rank, shift=True, context_parallel=True, tail="drop")) for rank in range(4)]
        for number, whole in enumerate(SluiceDataset(view, 0, shift=True, tail="drop")):
            for name in whole._fields:
                joined = [None] * 16
                for rank in range(4):
                    values = getattr(parts[rank][number], name).tolist()
                    self.assertEqual(len(values), 4)
                    slots = [i for a, b in view.rank(rank).cp_slices for i in range(a, b)]
                    for slot, value in zip(slots, values):
                        joined[slot] = value
                self.assertEqual(joined, getattr(whole, name).tolist())

    def test_command_line_prints_a_sample(self):
        view = self.small(23, gpus=2, batch=4)
        out = subprocess.run([sys.executable, sluice_view.__file__, view.path, "--rank", "1", "--step", "2"], capture_output=True,
                             text=True, check=True)
        shown = json.loads(out.stdout)
        self.assertEqual((shown["step"], shown["rank"], shown["replica"]), (2, 1, 1))
        self.assertEqual([item["tokens"] for item in shown["items"]], view.read(2, 1).tokens.tolist())
        first = shown["items"][0]
        self.assertEqual([first["micro"], first["item"], first["epoch"], first["padding"]], [0, 0, 0, 0])
        self.assertEqual(sum(document["tokens"] for document in first["documents"]), 4)
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(sluice_view.main([view.path, "--rank", "9", "--step", "0"]), 2)
        self.assertIn("rank 9 lies outside 0 to 1", err.getvalue())


@unittest.skipIf(torch is None, "skipped: no torch")
class TorchTests(StoreCase):
    def test_the_loader_gives_the_same_with_any_number_of_workers(self):
        for tail in ["drop", "deal", "pad"]:
            view = self.small(53, gpus=2, micro=3, batch=12, epochs=2)
            dataset = SluiceDataset(view, 1, tail=tail)
            self.assertIsInstance(dataset, torch.utils.data.IterableDataset)
            alone = samples(dataset)
            for workers in [0, 1, 2, 4]:
                loader = torch.utils.data.DataLoader(dataset, batch_size=view.micro_batch, num_workers=workers)
                batches = list(loader)
                self.assertEqual(len(batches), len(loader))
                self.assertEqual([row for batch in batches for row in batch.tokens.tolist()], alone, (tail, workers))
                # Step by step, micro-batch by micro-batch, as the view says.
                for number, batch in enumerate(batches[: view.full_steps() * 2]):
                    expected = view.read(number // 2, 1, micro=number % 2)
                    for mine, field in zip(batch, expected):
                        self.assertEqual(mine.tolist(), field.tolist())
                self.assertEqual((batches[0].tokens.dtype, batches[0].loss_mask.dtype), (torch.int64, torch.bool))

    def test_batched_and_spawned_workers(self):
        view = self.small(53, gpus=2, micro=3, batch=12, epochs=2)
        dataset = SluiceDataset(view, 0, batched=True, tail="deal")
        alone = [batch.tokens.tolist() for batch in dataset]
        for workers in [0, 1, 2, 4]:
            self.assertEqual([batch.tokens.tolist() for batch in dataset.loader(workers)], alone)
        self.assertEqual([batch.tokens.tolist() for batch in dataset.loader(2, multiprocessing_context="spawn")], alone)

    def test_resume_in_workers(self):
        view = self.small(53, gpus=2, micro=2, batch=8, epochs=2)
        dataset = SluiceDataset(view, 1, tail="drop")
        whole = [batch.tokens.tolist() for batch in dataset.loader(2)]
        for steps in [0, 1, 5, 13]:
            again = SluiceDataset(view, 1, tail="drop")
            again.load_state_dict(dataset.state_dict(steps=steps))
            self.assertEqual([batch.tokens.tolist() for batch in again.loader(4)], whole[steps * 2 :])
        # Read in workers: this process cannot know how far.
        self.assertRaisesRegex(ViewError, "needs steps=", again.state_dict)

    def test_a_job_of_another_size_is_refused(self):
        view = self.small(23, gpus=2)
        torch.distributed.init_process_group("gloo", init_method=f"file://{self.path('rendezvous')}", rank=0, world_size=1)
        try:
            self.assertRaisesRegex(ViewError, "gpus: the view is for 2, and this job has 1", SluiceDataset, view, 0)
        finally:
            torch.distributed.destroy_process_group()


if __name__ == "__main__":
    unittest.main()
