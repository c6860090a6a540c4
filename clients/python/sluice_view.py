"""Reads the token stores of sluice for a trainer: the sequences of any (step, rank) of a view. Only NumPy is needed.

    view = sluice_view.View("view.json")                                  # finds the store beside the view
    tokens, positions, document_ids, loss_mask = view.read(step=0, rank=3)  # arrays [sequences of the rank, C]
    loader = sluice_view.SluiceDataset(view, rank=3).loader(num_workers=2)  # torch DataLoader of micro-batches
    state = dataset.state_dict(steps=100)                                 # save; on any GPU count: load_state_dict(state)
    dataset = SluiceDataset(view, rank=3, shift=True, context_parallel=True)  # labels; only this rank's slices of them

A view is a small JSON that says what is read (order) and who reads it (topology). Everything here is arithmetic on it,
so any step of any rank can be read at once, and nothing is kept per sequence. See README.md beside this file and
docs/view-format.md; `python sluice_view.py VIEW --rank R --step S` prints a sample as JSON.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import json
import mmap
import os
import sys
import warnings
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence as SequenceOf, Tuple, Union

import numpy as np

_IterableDataset: Any = object
_torch: Any = None
if __name__ != "__main__":  # The command line needs no torch, whose import takes seconds.
    try:
        import torch.utils.data as _torch

        _IterableDataset = _torch.IterableDataset
    except (ImportError, OSError):
        _torch = None

__all__ = ["View", "SluiceDataset", "ViewError", "Sequence", "Shifted", "Piece", "Place", "RankPlace", "Topology",
           "Permutation", "SequenceOrder", "order_key", "shift", "context_slice"]

Path = Union[str, "os.PathLike[str]"]
MASK64 = (1 << 64) - 1


class ViewError(ValueError):
    """A view, a store or a state that cannot be read, or that does not belong to the others; the text says which field."""


# ---------------------------------------------------------------------------------------------------------------------
# What is given to a trainer


class Sequence(NamedTuple):
    """One sequence (arrays [C]) or a batch of them (arrays [n, C])."""

    tokens: np.ndarray
    """Ids, int64. Padding stands at the end: end-of-text ids."""
    positions: np.ndarray
    """int64: counts from 0 at each document's first id in this sequence; padding counts from 0 too."""
    document_ids: np.ndarray
    """int64: number of the document in the stores' split; -1 in padding."""
    loss_mask: np.ndarray
    """bool: False in padding."""


class Shifted(NamedTuple):
    """Inputs and the ids that follow them: what a trainer that does not shift by itself needs."""

    tokens: np.ndarray
    labels: np.ndarray
    positions: np.ndarray
    document_ids: np.ndarray
    loss_mask: np.ndarray
    """bool: False where the label is padding, or where the sequence holds no next id."""


class Piece(NamedTuple):
    """Consecutive tokens of one document inside one sequence."""

    document: int
    """Number in the stores' split, as in `document_ids`."""
    start: int
    """First token of the piece in the sequence."""
    offset: int
    """First token of the piece in its document."""
    tokens: int


class Place(NamedTuple):
    """What a rank reads: item `item` of micro-batch `micro` is `sequence`, the reading at global `position`."""

    micro: int
    item: int
    position: int
    epoch: int
    """In a mixture: of the sequence's class."""
    sequence: int


class RankPlace(NamedTuple):
    """What a rank is."""

    rank: int
    node: int
    local_rank: int
    tp: int
    cp: int
    dp: int
    pp: int
    reads: bool
    """Does it read tokens itself under this framework? The others get theirs from it, or need none."""
    cp_slices: Tuple[Tuple[int, int], ...]
    """Which ids of a sequence it computes: ranges [start, end) of the trained length, C - overlap."""


def shift(sequence: Sequence, length: int) -> Shifted:
    """The first `length` ids as inputs, the ids behind each as labels; a last one without successor is masked."""
    labels, mask = sequence.tokens[..., 1 : length + 1], sequence.loss_mask[..., 1 : length + 1]
    if labels.shape[-1] < length:
        edge = [(0, 0)] * (labels.ndim - 1) + [(0, 1)]
        labels, mask = np.pad(labels, edge), np.pad(mask, edge)
    return Shifted(sequence.tokens[..., :length], labels, sequence.positions[..., :length],
                   sequence.document_ids[..., :length], mask)


def context_slice(sequence: Any, slices: SequenceOf[Tuple[int, int]]) -> Any:
    """The parts of a `Sequence` or `Shifted` that a context-parallel rank computes (`RankPlace.cp_slices`)."""
    return type(sequence)(*(np.concatenate([field[..., a:b] for a, b in slices], axis=-1) for field in sequence))


# ---------------------------------------------------------------------------------------------------------------------
# The order: bijections by arithmetic


def order_key(seed: int, epoch: int, stream: int = 0) -> int:
    """First eight bytes, little-endian, of SHA-256 over `sluice order 1`, a line feed and three u64."""
    text = b"sluice order 1\n" + b"".join(number.to_bytes(8, "little") for number in (seed, epoch, stream))
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little")


def _mix(z: int) -> int:
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK64
    return z ^ z >> 31


_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
# Below so many numbers Python's integers are faster than NumPy's calls.
_FEW = 6


class Permutation:
    """A bijection of 0..<count without a table: a Feistel network of 6 rounds and cycle walking, SplitMix64's mixing."""

    def __init__(self, count: int, key: int) -> None:
        self.count = max(1, count)
        bits = max(2, (self.count - 1).bit_length())
        self._half = (bits + 1) // 2
        self._mask = (1 << self._half) - 1
        self._keys = [_mix((key + j * 0x9E3779B97F4A7C15) & MASK64) for j in range(1, 7)]
        self._array = (np.uint64(self._half), np.uint64(self._mask), [np.uint64(k) for k in self._keys])

    def map(self, index: int) -> int:
        """Where `index` goes."""
        half, mask, value = self._half, self._mask, index
        while True:
            left, right = value >> half, value & mask
            for key in self._keys:
                left, right = right, left ^ (_mix((right + key) & MASK64) & mask)
            value = left << half | right
            if value < self.count:
                return value

    def inverse(self, value: int) -> int:
        """The index that `map` sends to `value`."""
        half, mask, index = self._half, self._mask, value
        while True:
            left, right = index >> half, index & mask
            for key in reversed(self._keys):
                left, right = right ^ (_mix((left + key) & MASK64) & mask), left
            index = left << half | right
            if index < self.count:
                return index

    def map_array(self, indices: np.ndarray) -> np.ndarray:
        """`map` of each number, int64."""
        if len(indices) <= _FEW:
            return np.array([self.map(index) for index in indices.tolist()], dtype=np.int64)
        values = self._once(indices.astype(np.uint64))
        count = np.uint64(self.count)
        outside = np.flatnonzero(values >= count)
        while len(outside):
            values[outside] = walked = self._once(values[outside])
            outside = outside[walked >= count]
        return values.astype(np.int64)

    def _once(self, values: np.ndarray) -> np.ndarray:
        half, mask, keys = self._array
        left, right = values >> half, values & mask
        for key in keys:
            z = right + key
            z ^= z >> _S30
            z *= _M1
            z ^= z >> _S27
            z *= _M2
            z ^= z >> _S31
            z &= mask
            z ^= left
            left, right = right, z
        return left << half | right


class SequenceOrder:
    """In which order the `count` sequences of one class are read in one epoch.

    `blocks` None: one permutation of all. `blocks` (B, W): blocks of B consecutive numbers are permuted, and each window
    of W consecutive blocks of that order is permuted inside; the last block may be short.
    """

    CLASS_STRIDE = 1 << 40
    BLOCK_STREAM = 1
    WINDOW_STREAM = 1 << 32

    def __init__(self, count: int, seed: int, epoch: int, number: int = 0,
                 blocks: Optional[Tuple[int, int]] = None) -> None:
        self.count, self._seed, self._epoch, self._stream = count, seed, epoch, number * self.CLASS_STRIDE
        self._shuffle = blocks
        if blocks is None:
            self._all = self._permutation(count, 0)
            return
        size, width = blocks
        block_count = (count - 1) // size + 1
        self._blocks = self._permutation(block_count, self.BLOCK_STREAM)
        self._missing = block_count * size - count
        # Where the short block stands in the order of blocks.
        self._short = self._blocks.inverse(block_count - 1) if self._missing else block_count
        self._windows: Dict[int, Permutation] = {}

    def _permutation(self, count: int, stream: int) -> Permutation:
        return Permutation(count, order_key(self._seed, self._epoch, self._stream + stream))

    def map_array(self, indices: np.ndarray) -> np.ndarray:
        """The sequences that are read at these indices of the epoch, int64."""
        if self._shuffle is None:
            return self._all.map_array(indices)
        size, width = self._shuffle
        # Until the end of the short block's window all places are where they would be without it.
        plain = indices < self._start(self._short // width + 1)
        windows = np.where(plain, indices, indices + self._missing) // (size * width)
        result = np.empty(len(indices), dtype=np.int64)
        for number in np.unique(windows).tolist():
            chosen = windows == number
            start = self._start(number)
            inside = self._window(number, self._start(number + 1) - start).map_array(indices[chosen] - start)
            short = self._short - number * width
            if 0 <= short < width:
                inside = np.where(inside >= (short + 1) * size - self._missing, inside + self._missing, inside)
            result[chosen] = self._blocks.map_array(number * width + inside // size) * size + inside % size
        return result

    def _start(self, window: int) -> int:
        """Index of the first sequence of a window; of the one behind the last: `count`."""
        size, width = self._shuffle or (1, 1)
        return min(self.count, window * width * size - (self._missing if self._short < window * width else 0))

    def _window(self, number: int, size: int) -> Permutation:
        if number not in self._windows:
            if len(self._windows) >= 64:
                self._windows.clear()
            self._windows[number] = self._permutation(size, self.WINDOW_STREAM + number)
        return self._windows[number]


# ---------------------------------------------------------------------------------------------------------------------
# JSON members, checked


class _Members:
    """An object of a JSON file; what is missing or out of bounds is an error that names file and member."""

    def __init__(self, value: Any, path: str, place: str = "") -> None:
        if not isinstance(value, dict):
            raise ViewError(f"{path}: {place or 'the file'} is no JSON object")
        self.value, self.path, self._place = value, path, place

    @classmethod
    def parse(cls, data: bytes, path: str) -> "_Members":
        try:
            return cls(json.loads(data.decode("utf-8")), path)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ViewError(f"{path}: no JSON: {error}") from None

    def fail(self, name: str, what: str) -> ViewError:
        return ViewError(f"{self.path}: {self._place}{name}: {what}")

    def _get(self, name: str, kind: type, what: str) -> Any:
        value = self.value.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(name, f"expected {what}" + ("" if name in self.value else ", but it is missing"))
        return value

    def text(self, name: str) -> str:
        return self._get(name, str, "a text")

    def number(self, name: str, least: int = 0, most: int = (1 << 63) - 1) -> int:
        value = self._get(name, int, "a number")
        if not least <= value <= most:
            raise self.fail(name, f"{value} lies outside {least} to {most}")
        return value

    def list(self, name: str) -> List[Any]:
        return self._get(name, list, "a list")

    def object(self, name: str) -> "_Members":
        return _Members(self._get(name, dict, "an object"), self.path, f"{self._place}{name}.")

    def objects(self, name: str) -> List["_Members"]:
        return [_Members(item, self.path, f"{self._place}{name}[{i}].") for i, item in enumerate(self.list(name))]


def _canonical(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8: the bytes that hashes are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _read_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ViewError(f"{path}: {error.strerror}") from None


def _differences(mine: Any, other: Any, name: str = "") -> List[str]:
    """Members that differ, by their path in the view's `order`."""
    if mine == other:
        return []
    if isinstance(mine, dict) and isinstance(other, dict):
        found = []
        for key in list(mine) + [key for key in other if key not in mine]:
            found += _differences(mine.get(key), other.get(key), f"{name}.{key}" if name else key)
        return found
    show = [value if isinstance(value, str) else _canonical(value).decode("utf-8") for value in (mine, other)]
    return [f"{name}: {show[0]} in the state, {show[1]} here"]


# ---------------------------------------------------------------------------------------------------------------------
# Topology: what a rank is


class Topology:
    """The shape of a cluster, the framework's order of ranks, and how a step's positions are shared by the replicas."""

    FRAMEWORKS = ("megatron", "nanotron", "torchtitan", "olmo", "deepspeed", "gpt-neox")
    AXES = ("tp", "cp", "ep", "dp", "pp")

    def __init__(self, framework: str = "megatron", gpus: int = 1, tensor: int = 1, context: int = 1, pipeline: int = 1,
                 expert: int = 1, rank_order: str = "tp-cp-ep-dp-pp", gpus_per_node: int = 8) -> None:
        if framework not in self.FRAMEWORKS:
            raise ViewError(f"topology.framework: “{framework}” is none of {', '.join(self.FRAMEWORKS)}")
        plane = tensor * context * pipeline
        if min(gpus, tensor, context, pipeline, expert, gpus_per_node) < 1 or gpus % plane:
            raise ViewError(f"topology: {gpus} GPUs are no multiple of TP·CP·PP = {tensor}·{context}·{pipeline}")
        self.framework, self.gpus, self.gpus_per_node = framework, gpus, gpus_per_node
        self.tensor, self.context, self.pipeline, self.data = tensor, context, pipeline, gpus // plane
        self._axes = rank_order.split("-")
        needed = {"tp", "dp", "pp"} | ({"cp"} if context > 1 else set())
        if len(set(self._axes)) != len(self._axes) or not needed <= set(self._axes) <= set(self.AXES):
            raise ViewError(f"topology.rank_order: “{rank_order}” should name each of tp, cp, ep, dp, pp once")

    def rank(self, rank: int, trained: int = 0) -> RankPlace:
        """The coordinates of a rank; `trained` ids of a sequence are shared by its context-parallel group."""
        if not 0 <= rank < self.gpus:
            raise ViewError(f"rank {rank} lies outside 0 to {self.gpus - 1}: the view is for {self.gpus} GPUs")
        sizes = {"tp": self.tensor, "cp": self.context, "ep": 1, "dp": self.data, "pp": self.pipeline}
        place, rest = dict.fromkeys(self.AXES, 0), rank
        for axis in self._axes:
            rest, place[axis] = divmod(rest, sizes[axis])
        is_edge = place["pp"] in (0, self.pipeline - 1)
        if self.framework in ("megatron", "gpt-neox"):
            reads = is_edge and place["tp"] == 0
        else:
            reads = is_edge or self.framework in ("torchtitan", "olmo")
        return RankPlace(rank, rank // self.gpus_per_node, rank % self.gpus_per_node, place["tp"], place["cp"],
                         place["dp"], place["pp"], reads, self.context_slices(place["cp"], trained))

    def context_slices(self, context: int, trained: int) -> Tuple[Tuple[int, int], ...]:
        """Of 2·CP equal parts number c and its mirror image, so that causal attention costs all ranks the same."""
        if self.context == 1:
            return ((0, trained),)
        part, mirror = trained // (2 * self.context), 2 * self.context - 1 - context
        return ((context * part, (context + 1) * part), (mirror * part, (mirror + 1) * part))

    def offsets(self, items: np.ndarray, dp: int, micro: int, batch: int) -> np.ndarray:
        """Offsets within a step of a replica's items k·mbs + j, j of micro-batch k."""
        if self.framework == "olmo":
            return dp + self.data * items
        if self.framework in ("deepspeed", "gpt-neox"):
            return dp * (batch // self.data) + items
        return items // micro * (micro * self.data) + dp * micro + items % micro


# ---------------------------------------------------------------------------------------------------------------------
# Files, mapped


class _Files:
    """Mapped files by name, a bounded number: each costs a descriptor. Those opened first are closed first.

    Readahead is turned off: under a permutation it would read 20 times the bytes that are used.
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(8, limit)
        self._open: Dict[Any, Tuple[int, Any]] = {}
        self._count = 0

    def get(self, key: Any) -> Any:
        entry = self._open.get(key)
        return None if entry is None else entry[1]

    def keep(self, key: Any, value: Any, files: int) -> Any:
        while self._open and self._count + files > self._limit:
            # Maps close when the last array over them goes.
            self._count -= self._open.pop(next(iter(self._open)))[0]
        self._open[key] = (files, value)
        self._count += files
        return value

    def __getstate__(self) -> int:
        # Maps stay with their process; a worker opens its own.
        return self._limit

    def __setstate__(self, limit: int) -> None:
        self.__init__(limit)  # type: ignore[misc]

    @property
    def count(self) -> int:
        return self._count

    @staticmethod
    def map(path: str, size: int, dtype: str) -> np.ndarray:
        try:
            with open(path, "rb") as file:
                actual = os.fstat(file.fileno()).st_size
                if actual != size:
                    raise ViewError(f"{path}: has {actual} bytes, not {size}: damaged or of another store. "
                                    "Run `sluice verify`")
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            if isinstance(error, ViewError):
                raise
            raise ViewError(f"{path}: {error}") from None
        if hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(mapped, dtype=dtype)


class _Segment(NamedTuple):
    """A segment in the list of all stores' segments."""

    tok: str
    doc: str
    tokens: int
    documents: int
    first_token: int
    first_document: int


class _OpenSegment(NamedTuple):
    tokens: np.ndarray
    ends: np.ndarray
    """Per document: tokens of the segment up to and including it (u64, strided over the records)."""
    first_document: int
    documents: int
    doc: str


class _Store(NamedTuple):
    folder: str
    fingerprint: str
    manifest: _Members

    @classmethod
    def open(cls, folder: str) -> "_Store":
        path = os.path.join(folder, "manifest.json")
        data = _read_bytes(path)
        return cls(folder, _sha256(data), _Members.parse(data, path))

    def segments(self, split: str) -> List[_Members]:
        splits = self.manifest.object("splits")
        if split not in splits.value:
            raise ViewError(f"order.split: the view reads “{split}”, and {self.folder} has {', '.join(splits.value)}")
        return splits.object(split).objects("segments")


def _find_stores(fingerprints: List[str], view_path: str, given: Optional[List[str]]) -> List[_Store]:
    """The stores of a view: those given, else beside the view: its folder, folders in it, the folder above, its folders."""
    if given is None:
        beside = os.path.dirname(view_path) or "."
        above = os.path.join(beside, "..")
        places = []
        for folder in (beside, above):
            places.append(folder)
            try:
                places += sorted(os.path.join(folder, name) for name in os.listdir(folder))
            except OSError:
                pass
        places = [folder for folder in places if os.path.isfile(os.path.join(folder, "manifest.json"))]
    else:
        places = given
    found: Dict[str, _Store] = {}
    seen = []
    for folder in places:
        path = os.path.join(folder, "manifest.json")
        try:
            data = _read_bytes(path)
        except ViewError:
            if given is not None:
                raise
            continue
        fingerprint = _sha256(data)
        seen.append(f"{folder} is {fingerprint}")
        if fingerprint in fingerprints and fingerprint not in found:
            found[fingerprint] = _Store(folder, fingerprint, _Members.parse(data, path))
        if given is None and len(found) == len(fingerprints):
            break
    missing = [fingerprint for fingerprint in fingerprints if fingerprint not in found]
    if missing:
        where = "among the given stores" if given is not None else "beside the view; name its folder with store="
        raise ViewError(
            f"order.store: the view was made of {', '.join(missing)}, which is not {where}"
            + ("" if given is None else ": another corpus, tokenizer or order. " + "; ".join(seen)))
    return [found[fingerprint] for fingerprint in fingerprints]


# ---------------------------------------------------------------------------------------------------------------------
# Where a sequence lies

# More pieces than this are copied with one gather each instead of one by one.
_MANY = 24


class _Split:
    """One split of all stores of a view as one list of segments."""

    def __init__(self, stores: List[_Store], name: str, holdout: Any, files: _Files) -> None:
        self.stores, self.name, self.files = stores, name, files
        first = stores[0].manifest
        for store in stores:
            manifest = store.manifest
            if manifest.text("format") != "sluice-tokens/1":
                raise manifest.fail("format", "not a token store of format sluice-tokens/1")
            for field in ("tokenizer.sha256", "tokenizer.policy", "tokenizer.eos", "tokenizer.bos", "dtype", "holdout"):
                mine, other = manifest.value, first.value
                for part in field.split("."):
                    mine, other = mine.get(part, {}), other.get(part, {})
                if mine != other:
                    raise ViewError(f"{stores[0].folder} and {store.folder} cannot be read together: {field} differs")
        if first.value.get("holdout") != holdout:
            raise ViewError("holdout: the view's held-out splits are not the store's")
        dtype = first.text("dtype")
        if dtype not in ("u16", "u32"):
            raise first.fail("dtype", f"“{dtype}” is neither u16 nor u32")
        self.width = 2 if dtype == "u16" else 4
        tokenizer = first.object("tokenizer").value
        ends = [tokenizer[name] for name in ("eos", "bos") if tokenizer.get(name) is not None]
        self.padding = ends[0] if ends else 0
        self.segments: List[_Segment] = []
        self.first_segments: List[int] = []
        tokens = documents = 0
        for store in stores:
            self.first_segments.append(len(self.segments))
            for entry in store.segments(name):
                stem = os.path.join(store.folder, name, entry.text("name"))
                segment = _Segment(stem + ".tok", stem + ".doc", entry.number("tokens", 1), entry.number("documents", 1),
                                   tokens, documents)
                self.segments.append(segment)
                tokens += segment.tokens
                documents += segment.documents
        self.tokens, self.documents = tokens, documents
        self.starts = [segment.first_token for segment in self.segments]

    def open(self, number: int) -> _OpenSegment:
        opened = self.files.get(number)
        if opened is not None:
            return opened
        segment = self.segments[number]
        tokens = _Files.map(segment.tok, segment.tokens * self.width, f"<u{self.width}")
        records = _Files.map(segment.doc, segment.documents * 32, "<u8").reshape(-1, 4)
        return self.files.keep(
            number, _OpenSegment(tokens, records[:, 0], segment.first_document, segment.documents, segment.doc), 2)


class _Rows:
    """The rows that one sequence fills, and how far they are filled."""

    __slots__ = ("tokens", "positions", "ids", "at", "count")

    def __init__(self, tokens: np.ndarray, positions: np.ndarray, ids: np.ndarray, count: np.ndarray) -> None:
        self.tokens, self.positions, self.ids, self.at, self.count = tokens, positions, ids, 0, count

    def add(self, segment: _OpenSegment, first: int, length: int, document: int) -> None:
        end = self.at + length
        self.tokens[self.at : end] = segment.tokens[first : first + length]
        self.positions[self.at : end] = self.count[:length]
        self.ids[self.at : end] = segment.first_document + document
        self.at = end

    def add_many(self, segment: _OpenSegment, firsts: np.ndarray, lengths: np.ndarray, documents: np.ndarray) -> None:
        total = int(lengths.sum())
        rows = slice(self.at, self.at + total)
        starts = np.cumsum(lengths) - lengths
        inside = self.count[:total] - np.repeat(starts, lengths)
        self.tokens[rows] = segment.tokens[np.repeat(firsts, lengths) + inside]
        self.positions[rows] = inside
        self.ids[rows] = np.repeat(documents + segment.first_document, lengths)
        self.at += total


class _Stream:
    """Sequence k = ids [k·s, k·s + C) of the segments read as one stream, s = C - overlap."""

    def __init__(self, split: _Split, context: int, overlap: int) -> None:
        self._split, self._context, self._step = split, context, context - overlap
        self.count = 0 if split.tokens < context else (split.tokens - context) // self._step + 1

    def _parts(self, number: int) -> Iterator[Tuple[_OpenSegment, int, int]]:
        at = number * self._step
        end = at + self._context
        index = bisect.bisect_right(self._split.starts, at) - 1
        while at < end:
            first = self._split.starts[index]
            until = min(end, first + self._split.segments[index].tokens)
            yield self._split.open(index), at - first, until - first
            at, index = until, index + 1

    def _bounds(self, segment: _OpenSegment, first: int, end: int) -> Tuple[int, np.ndarray]:
        """The document at `first`, and where in the segment documents begin behind it, before `end`."""
        # Documents are never empty, so there are at most as many as tokens.
        document = bisect.bisect_right(segment.ends, first)
        last = bisect.bisect_left(segment.ends, end, document, min(segment.documents, document + end - first))
        bounds = segment.ends[document:last].astype(np.int64)
        if last >= segment.documents or (len(bounds) and (bounds[0] <= first or (np.diff(bounds) < 1).any())):
            raise ViewError(f"{segment.doc}: the ends of documents do not grow up to {end}. Run `sluice verify`")
        return document, bounds

    def fill(self, number: int, rows: _Rows) -> None:
        for segment, first, end in self._parts(number):
            document, bounds = self._bounds(segment, first, end)
            if len(bounds) > _MANY:
                edges = np.concatenate(([first], bounds, [end]))
                documents = np.arange(document, document + len(bounds) + 1)
                rows.add_many(segment, edges[:-1], np.diff(edges), documents)
                continue
            for bound in bounds.tolist():
                rows.add(segment, first, bound - first, document)
                first, document = bound, document + 1
            rows.add(segment, first, end - first, document)

    def pieces(self, number: int) -> List[Piece]:
        found: List[Piece] = []
        at = 0
        for segment, first, end in self._parts(number):
            document, bounds = self._bounds(segment, first, end)
            begin = int(segment.ends[document - 1]) if document else 0
            for bound in bounds.tolist() + [end]:
                found.append(Piece(segment.first_document + document, at, first - begin, bound - first))
                at, first, begin, document = at + bound - first, bound, bound, document + 1
        return found


class _OpenPack(NamedTuple):
    firsts: np.ndarray
    pieces: np.ndarray
    """[pieces, 3]: document in the unit, offset in it, length."""
    path: str


class _Unit(NamedTuple):
    path: str
    bins: int
    pieces: int
    first_segment: int
    """In the list of all stores' segments."""
    starts: List[int]
    """Number of the first document of each segment in the unit, and the number of its documents."""


class _Packs:
    """A sequence is a bin of a pack index: numbered class after class, in a class by store, unit and bin."""

    def __init__(self, split: _Split, order: _Members, context: int, classes: Optional[List[Tuple[str, int]]],
                 by: str) -> None:
        self._split, self._context = split, context
        policy = order.object("packing").text("policy")
        folder = f"pack-{context}" + ("" if policy == "best-fit" else f"-{policy}") + ("" if by == "none" else f"-{by}")
        manifests, hashed = [], hashlib.sha256()
        for store in split.stores:
            path = os.path.join(store.folder, split.name, folder, "manifest.json")
            if not os.path.isfile(path):
                raise ViewError(f"order.packing.index: the pack index is missing: {path}. "
                                "Make it again with `sluice shard`")
            data = _read_bytes(path)
            hashed.update(data)
            manifests.append(_Members.parse(data, path))
        if "sha256:" + hashed.hexdigest() != order.object("packing").text("index"):
            raise ViewError(f"order.packing.index: {folder} of the store is not the view's. "
                            "Make the view again with `sluice shard`")
        self._units: List[_Unit] = []
        # Per class of each store's index: (unit, first bin, bins).
        runs: Dict[str, List[Tuple[int, int, int]]] = {}
        for store, manifest, first in zip(split.stores, manifests, split.first_segments):
            documents = [entry.number("documents", 1) for entry in store.segments(split.name)]
            names = manifest.list("classes") or [""]
            for unit in manifest.objects("units"):
                self._add_unit(unit, names, documents, os.path.dirname(manifest.path), first, runs)
        self._firsts: List[int] = []
        self._runs: List[Tuple[int, int]] = []
        self.count = 0
        for name, wanted in classes or [("", order.number("sequences"))]:
            before = self.count
            for number, first_bin, bins in runs.get(name, []):
                if bins:
                    self._firsts.append(self.count)
                    self._runs.append((number, first_bin))
                    self.count += bins
            if self.count - before != wanted:
                raise ViewError(f"order.sequences: the view says {wanted}, and its pack index gives {self.count - before}")

    def _add_unit(self, unit: _Members, names: List[str], documents: List[int], folder: str, first: int,
                  runs: Dict[str, List[Tuple[int, int, int]]]) -> None:
        segment, segments = unit.number("first_segment"), unit.number("segments", 1)
        starts = [0]
        for count in documents[segment : segment + segments]:
            starts.append(starts[-1] + count)
        bins, class_bins = unit.number("bins"), unit.list("class_bins")
        if len(starts) != segments + 1 or len(class_bins) != len(names) or sum(class_bins) != bins:
            raise unit.fail("class_bins", "do not fit the store. Remove the folder; `sluice shard` makes it again")
        at = 0
        for name, count in zip(names, class_bins):
            runs.setdefault(name, []).append((len(self._units), at, count))
            at += count
        self._units.append(_Unit(os.path.join(folder, unit.text("name") + ".pack"), bins, unit.number("pieces"),
                                 first + segment, starts))

    def _open(self, number: int) -> _OpenPack:
        opened = self._split.files.get(("pack", number))
        if opened is not None:
            return opened
        unit = self._units[number]
        words = _Files.map(unit.path, 16 + 4 * (unit.bins + 1) + 12 * unit.pieces, "<u4")
        head = words[:4].view("<u8")
        if head[0] != unit.bins or head[1] != unit.pieces:
            raise self._damaged(unit.path, f"does not begin with {unit.bins} bins and {unit.pieces} pieces")
        table = 4 + unit.bins + 1
        opened = _OpenPack(words[4:table], words[table:].reshape(-1, 3), unit.path)
        return self._split.files.keep(("pack", number), opened, 1)

    @staticmethod
    def _damaged(path: str, what: str) -> ViewError:
        return ViewError(f"{path}: the pack index {what}. Remove its folder; `sluice shard` makes it again")

    def _bin(self, number: int) -> Tuple[_Unit, np.ndarray]:
        """The unit, and the pieces of the sequence: [pieces, 3] u32."""
        run = bisect.bisect_right(self._firsts, number) - 1
        index, first_bin = self._runs[run]
        pack, unit = self._open(index), self._units[index]
        place = first_bin + number - self._firsts[run]
        first, end = int(pack.firsts[place]), int(pack.firsts[place + 1])
        if not first < end <= unit.pieces or end - first > self._context:
            raise self._damaged(pack.path, f"gives bin {place} the pieces {first} to {end} of {unit.pieces}")
        return unit, pack.pieces[first:end]

    def _places(self, unit: _Unit, pieces: np.ndarray) -> Iterator[Tuple[_OpenSegment, int, int, int, int]]:
        """Segment, document in it, first token, offset in the document and length of each piece."""
        left = self._context
        for document, offset, length in pieces.tolist():
            index = bisect.bisect_right(unit.starts, document) - 1
            if index + 1 >= len(unit.starts) or not 1 <= length <= left:
                raise self._damaged(unit.path, "holds a piece that cannot be")
            left -= length
            segment = self._split.open(unit.first_segment + index)
            document -= unit.starts[index]
            first = (int(segment.ends[document - 1]) if document else 0) + offset
            if first + length > min(int(segment.ends[document]), len(segment.tokens)):
                raise self._damaged(unit.path, "names tokens that its documents do not have")
            yield segment, document, first, offset, length

    def fill(self, number: int, rows: _Rows) -> None:
        unit, pieces = self._bin(number)
        if len(pieces) > _MANY:
            return self._fill_many(unit, pieces.astype(np.int64), rows)
        for segment, document, first, _, length in self._places(unit, pieces):
            rows.add(segment, first, length, document)

    def _fill_many(self, unit: _Unit, pieces: np.ndarray, rows: _Rows) -> None:
        documents, offsets, lengths = pieces[:, 0], pieces[:, 1], pieces[:, 2]
        if documents.max() >= unit.starts[-1] or lengths.min() < 1 or lengths.sum() > self._context:
            raise self._damaged(unit.path, "holds a piece that cannot be")
        indices = np.searchsorted(np.array(unit.starts), documents, side="right") - 1
        # Runs of pieces of one segment.
        cuts = [0] + (np.flatnonzero(np.diff(indices)) + 1).tolist() + [len(indices)]
        for first, end in zip(cuts, cuts[1:]):
            index = int(indices[first])
            segment = self._split.open(unit.first_segment + index)
            inside = documents[first:end] - unit.starts[index]
            # Records that say more than the segment has are cut to it, so that no sum overflows.
            begins, ends = (np.minimum(segment.ends[numbers], np.uint64(len(segment.tokens))).astype(np.int64)
                            for numbers in (np.maximum(inside, 1) - 1, inside))
            firsts = np.where(inside > 0, begins, 0) + offsets[first:end]
            if (firsts + lengths[first:end] > ends).any():
                raise self._damaged(unit.path, "names tokens that its documents do not have")
            rows.add_many(segment, firsts, lengths[first:end], inside)

    def pieces(self, number: int) -> List[Piece]:
        found: List[Piece] = []
        at = 0
        for segment, document, _, offset, length in self._places(*self._bin(number)):
            found.append(Piece(segment.first_document + document, at, offset, length))
            at += length
        return found


# ---------------------------------------------------------------------------------------------------------------------
# The view


class View:
    """A view and its stores: every sequence, and what each rank reads at each step.

    `store`: folder of the token store, or a list of them; by default they are looked for beside the view. `open_files`
    bounds the descriptors that mapped files take. Raises `ViewError` for a view that was edited, or that was made of other
    stores, naming the field that differs.
    """

    STATE_FORMAT = "sluice-state/1"

    def __init__(self, path: Path, store: Union[None, Path, SequenceOf[Path]] = None, open_files: int = 256) -> None:
        self.path = os.fspath(path)
        root = _Members.parse(_read_bytes(self.path), self.path)
        if root.text("format") != "sluice-view/1":
            raise root.fail("format", f"“{root.value['format']}” is not sluice-view/1")
        content = {name: value for name, value in root.value.items() if name != "sha256"}
        if hashlib.sha256(_canonical(content)).hexdigest() != root.text("sha256"):
            raise root.fail("sha256", "is not that of the content: the view was edited or damaged. "
                                      "Make it again with `sluice shard`")
        order = root.object("order")
        self.order: Dict[str, Any] = order.value
        self.order_hash: str = _sha256(_canonical(self.order))
        self._read_order(order)
        self._read_readers(root)
        names = order.list("stores") if "stores" in self.order else [order.text("store")]
        if isinstance(store, (str, os.PathLike)):
            store = [store]
        stores = _find_stores(names, self.path, None if store is None else [os.fspath(item) for item in store])
        self._split = _Split(stores, order.text("split"), root.value.get("holdout"), _Files(open_files))
        if order.object("packing").value.get("index") is None:
            self._layout: Any = _Stream(self._split, self.context, self.overlap)
        else:
            self._layout = _Packs(self._split, order, self.context, self._classes, self._by)
        if self._layout.count != self.sequences:
            raise order.fail("sequences", f"the view says {self.sequences}, and its stores give {self._layout.count}")
        self._count = np.arange(self.context)
        self._orders: Dict[Tuple[int, int], SequenceOrder] = {}
        self._blocks: Dict[int, Permutation] = {}

    def _read_order(self, order: _Members) -> None:
        self.seed = order.number("seed")
        sequence = order.object("sequence")
        self.context = sequence.number("tokens", 1, 1 << 24)
        """Ids per sequence, C."""
        self.overlap = sequence.number("overlap", 0, min(1, self.context - 1))
        self.trained = self.context - self.overlap
        self.sequences = order.number("sequences", 1, 1 << 50)
        """Sequences of an epoch."""
        packing = order.object("packing")
        policy = packing.text("policy")
        if policy not in ("concat", "best-fit"):
            raise packing.fail("policy", f"this version cannot read “{policy}”")
        if policy == "best-fit" and packing.value.get("index") is None:
            raise packing.fail("index", "best-fit needs one")
        shuffle = order.object("shuffle")
        kind = shuffle.text("kind")
        if kind not in ("permutation", "blocks"):
            raise shuffle.fail("kind", f"this version cannot read “{kind}”")
        self._shuffle = None
        if kind == "blocks":
            self._shuffle = (shuffle.number("block", 1, 1 << 32), shuffle.number("window", 1, 1 << 20))
        self._classes: Optional[List[Tuple[str, int]]] = None
        self._by = "none"
        if order.value.get("mixture") is None:
            return
        mixture = order.object("mixture")
        self._by = mixture.text("by")
        self._block = mixture.number("block", 1, 1 << 40)
        classes = mixture.objects("classes")
        self._classes = [(item.text("name"), item.number("sequences", 1)) for item in classes]
        self._shares = np.array([item.number("share", 1, self._block) for item in classes], dtype=np.int64)
        if packing.value.get("index") is None:
            raise packing.fail("index", "a mixture needs one")
        if self._by not in ("source", "language") or self._shares.sum() != self._block:
            raise mixture.fail("classes", "the shares do not add up to the block")
        if sum(count for _, count in self._classes) != self.sequences:
            raise order.fail("sequences", "not the sum of the classes")
        self._prefix = np.cumsum(self._shares) - self._shares
        self._counts = np.array([count for _, count in self._classes], dtype=np.int64)
        self._class_firsts = np.cumsum(self._counts) - self._counts

    def _read_readers(self, root: _Members) -> None:
        self.epochs = root.number("epochs", 1, 1 << 12)
        self.total = self.epochs * self.sequences
        """Global positions of the run: those of all epochs."""
        self.start = root.number("start", 0, self.total)
        """Global position at which step 0 begins."""
        shape = root.object("topology")
        self.gpus = root.number("gpus", 1, 1 << 24)
        try:
            self.topology = Topology(
                shape.text("framework"), self.gpus,
                *(shape.number(axis, 1) for axis in ("tensor", "context", "pipeline", "expert")),
                rank_order=shape.text("rank_order"), gpus_per_node=root.number("gpus_per_node", 1))
        except ViewError as error:
            raise ViewError(f"{self.path}: {error}") from None
        batch = root.object("batch")
        self.global_batch = batch.number("global", 1)
        """Sequences per step of all replicas."""
        self.micro_batch = batch.number("micro", 1)
        """Sequences per forward pass of a rank."""
        replicas = self.topology.data
        if self.global_batch % (self.micro_batch * replicas):
            raise batch.fail("global", f"{self.global_batch} is no multiple of {self.micro_batch}·{replicas}")
        self.rank_batch = self.global_batch // replicas
        """Sequences per step of a rank."""

    @property
    def documents(self) -> int:
        """Documents of the split: `document_ids` are below."""
        return self._split.documents

    @property
    def open_files(self) -> int:
        """Files that are mapped now."""
        return self._split.files.count

    # What stands in a sequence

    def sequence(self, number: int) -> Sequence:
        """Sequence `number` (below `sequences`): four arrays [C]."""
        return Sequence(*(field[0] for field in self.read_sequences([number])))

    def read_sequences(self, numbers: SequenceOf[int]) -> Sequence:
        """Several sequences as one batch: four arrays [n, C]. Number -1 gives a row of padding."""
        shape = (len(numbers), self.context)
        tokens, positions, ids = (np.empty(shape, dtype=np.int64) for _ in range(3))
        mask = np.ones(shape, dtype=np.bool_)
        for row, number in enumerate(numbers):
            if not -1 <= number < self.sequences:
                raise ViewError(f"sequence {number} lies outside 0 to {self.sequences - 1}")
            rows = _Rows(tokens[row], positions[row], ids[row], self._count)
            if number >= 0:
                self._layout.fill(number, rows)
            if rows.at < self.context:
                tokens[row, rows.at :] = self._split.padding
                positions[row, rows.at :] = self._count[: self.context - rows.at]
                ids[row, rows.at :] = -1
                mask[row, rows.at :] = False
        return Sequence(tokens, positions, ids, mask)

    def pieces(self, number: int) -> List[Piece]:
        """Which documents sequence `number` is made of, in order."""
        if not 0 <= number < self.sequences:
            raise ViewError(f"sequence {number} lies outside 0 to {self.sequences - 1}")
        return self._layout.pieces(number)

    # What is read at a position

    def sequences_at(self, positions: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """(epochs, sequences) that are read at these global positions, int64."""
        positions = np.asarray(positions, dtype=np.int64)
        if self._classes is None:
            epochs, indices = np.divmod(positions, self.sequences)
            return epochs, self._ordered(np.zeros_like(positions), epochs, indices)
        blocks, places = np.divmod(positions, self._block)
        for block in np.unique(blocks).tolist():
            chosen = blocks == block
            places[chosen] = self._block_permutation(block).map_array(places[chosen])
        kinds = np.searchsorted(self._prefix, places, side="right") - 1
        turns = blocks * self._shares[kinds] + places - self._prefix[kinds]
        epochs, indices = np.divmod(turns, self._counts[kinds])
        return epochs, self._class_firsts[kinds] + self._ordered(kinds, epochs, indices)

    def _ordered(self, kinds: np.ndarray, epochs: np.ndarray, indices: np.ndarray) -> np.ndarray:
        result = np.empty(len(indices), dtype=np.int64)
        for kind, epoch in set(zip(kinds.tolist(), epochs.tolist())):
            chosen = (kinds == kind) & (epochs == epoch)
            order = self._orders.get((kind, epoch))
            if order is None:
                if len(self._orders) >= 1024:
                    self._orders.clear()
                count = self.sequences if self._classes is None else self._classes[kind][1]
                order = self._orders[kind, epoch] = SequenceOrder(count, self.seed, epoch, kind, self._shuffle)
            result[chosen] = order.map_array(indices[chosen])
        return result

    def _block_permutation(self, block: int) -> Permutation:
        if block not in self._blocks:
            if len(self._blocks) >= 256:
                self._blocks.clear()
            self._blocks[block] = Permutation(self._block, order_key(self.seed, block, 1 << 62))
        return self._blocks[block]

    # What a rank reads

    def rank(self, rank: int) -> RankPlace:
        """Coordinates of a rank, whether it reads, its context-parallel slices."""
        return self.topology.rank(rank, self.trained)

    def full_steps(self, start: Optional[int] = None) -> int:
        """Steps from `start` (default: the view's) whose global batch is full."""
        return max(0, self.total - (self.start if start is None else start)) // self.global_batch

    def rank_positions(self, rank: int, items: np.ndarray, start: Optional[int] = None) -> np.ndarray:
        """Global positions of a rank's items: number step·(GBS/DP) + k·mbs + j, through all its steps.

        Full steps follow the framework's rule. The last, incomplete step deals its positions out one by one, so that
        ranks differ by at most one sequence; items that it has no position for get -1.
        """
        start = self.start if start is None else start
        dp = self.rank(rank).dp
        steps, inside = np.divmod(np.asarray(items, dtype=np.int64), self.rank_batch)
        firsts = start + steps * self.global_batch
        offsets = self.topology.offsets(inside, dp, self.micro_batch, self.global_batch)
        full = self.full_steps(start)
        if len(steps) and steps.max() >= full:
            offsets = np.where(steps < full, offsets, dp + self.topology.data * inside)
        positions = firsts + offsets
        return np.where(positions < self.total, positions, -1)

    def places(self, step: int, rank: int, micro: Optional[int] = None) -> List[Place]:
        """What a rank reads at a step, or in one micro-batch of it; fewer items in the run's last, incomplete step."""
        micros = self.rank_batch // self.micro_batch
        if step < 0 or (micro is not None and not 0 <= micro < micros):
            raise ViewError(f"step {step}, micro-batch {micro}: steps count from 0, micro-batches 0 to {micros - 1}")
        first, count = (0, self.rank_batch) if micro is None else (micro * self.micro_batch, self.micro_batch)
        items = np.arange(first, first + count)
        positions = self.rank_positions(rank, items + step * self.rank_batch)
        items, positions = items[positions >= 0], positions[positions >= 0]
        epochs, sequences = self.sequences_at(positions)
        found = zip(items.tolist(), positions.tolist(), epochs.tolist(), sequences.tolist())
        return [Place(*divmod(item, self.micro_batch), position, epoch, sequence)
                for item, position, epoch, sequence in found]

    def read(self, step: int, rank: int, micro: Optional[int] = None) -> Sequence:
        """The sequences of a rank at a step, or of one micro-batch of it: four arrays [n, C]."""
        return self.read_sequences([place.sequence for place in self.places(step, rank, micro)])

    # Where a run stopped

    def state(self, next_position: int) -> Dict[str, Any]:
        """What `load_state_dict` and `sluice shard --state` need to go on at `next_position`."""
        return {"format": self.STATE_FORMAT, "order_hash": self.order_hash, "next_position": next_position,
                "order": self.order}

    def next_position(self, state: Dict[str, Any]) -> int:
        """The position of a state of the same order; `ViewError` lists what differs in another order."""
        members = _Members(state, "state")
        if members.text("format") != self.STATE_FORMAT:
            raise members.fail("format", f"“{state['format']}” is not {self.STATE_FORMAT}")
        order = members.object("order").value
        if _sha256(_canonical(order)) != members.text("order_hash"):
            raise members.fail("order_hash", "is not that of its order: the state was edited or damaged")
        differences = _differences(order, self.order)
        if differences:
            raise ViewError("the run cannot go on in this order; going on would repeat and skip sequences in silence. "
                            "What differs:\n  " + "\n  ".join(differences))
        return members.number("next_position", 0, self.total)


# ---------------------------------------------------------------------------------------------------------------------
# The dataset


class SluiceDataset(_IterableDataset):
    """The samples of one rank in the order of training, from the view's start (or a loaded state) to its last epoch.

    A torch `IterableDataset` where torch is there, else a plain iterable. Yields a `Sequence` (with `shift` a `Shifted`)
    per sample; with `batched` one per micro-batch, for `DataLoader(batch_size=None)`.

    `batch_size` must be the DataLoader's (default: the view's micro-batch): worker w of W takes every W-th batch, and a
    DataLoader takes batches from its workers in turn, so the samples come in the same order for any number of workers.
    `loader()` makes such a DataLoader. `tail` says what becomes of positions behind the last full step: "drop" them (they
    stay unread: the state continues there), "deal" them out one by one (ranks differ by up to one), or deal them out and
    "pad" all ranks to one full step. `context_parallel` yields only the ids that this rank computes.
    """

    def __init__(self, view: Union[View, Path], rank: int, *, batch_size: Optional[int] = None, batched: bool = False,
                 tail: Optional[str] = None, shift: bool = False, context_parallel: bool = False) -> None:
        super().__init__()
        self.view = view if isinstance(view, View) else View(view)
        self.rank = rank
        self.place = self.view.rank(rank)
        self.batch_size = self.view.micro_batch if batch_size is None else batch_size
        if self.batch_size < 1:
            raise ViewError("batch_size must be at least 1")
        if tail not in (None, "drop", "deal", "pad"):
            raise ViewError(f"tail: “{tail}” is none of drop, deal, pad")
        self.batched, self.shift, self.context_parallel, self.tail = batched, shift, context_parallel, tail or "drop"
        self.start = self.view.start
        """Global position at which this run began."""
        self._read: Optional[int] = None
        self._check_world()
        if tail is None and rank == 0 and self.left_over:
            warnings.warn(f"{self.left_over} sequences behind the last full step are not read; "
                          "choose tail=\"drop\", \"deal\" or \"pad\"", stacklevel=2)

    def _check_world(self) -> None:
        distributed = sys.modules.get("torch.distributed")
        if distributed is None or not distributed.is_available() or not distributed.is_initialized():
            return
        world = distributed.get_world_size()
        if world != self.view.gpus:
            raise ViewError(f"gpus: the view is for {self.view.gpus}, and this job has {world} ranks. Make another view of the "
                            "same order with `sluice shard`; no token is rewritten")

    @property
    def left_over(self) -> int:
        """Sequences of the whole job behind its last full step."""
        return (self.view.total - self.start) % self.view.global_batch

    @property
    def steps(self) -> int:
        """Steps of this run, the incomplete one included unless it is dropped."""
        return self.view.full_steps(self.start) + (1 if self.left_over and self.tail != "drop" else 0)

    @property
    def samples(self) -> int:
        """Sequences that this rank reads in this run."""
        view, replicas = self.view, self.view.topology.data
        samples = view.full_steps(self.start) * view.rank_batch
        if self.left_over and self.tail == "pad":
            samples += view.rank_batch
        elif self.left_over and self.tail == "deal":
            samples += self.left_over // replicas + (1 if self.place.dp < self.left_over % replicas else 0)
        return samples

    def __len__(self) -> int:
        """What iterating yields: `samples`, or with `batched` the batches of them."""
        return -(-self.samples // self.batch_size) if self.batched else self.samples

    def __iter__(self) -> Iterator[Any]:
        worker = _torch.get_worker_info() if _torch is not None else None
        if worker is not None:
            return self.iterate(worker.id, worker.num_workers)
        return self._counted()

    def _counted(self) -> Iterator[Any]:
        self._read = 0
        for sample in self.iterate():
            self._read += len(sample.tokens) if self.batched else 1
            yield sample

    def iterate(self, worker: int = 0, workers: int = 1) -> Iterator[Any]:
        """The batches worker, worker + workers, … of this rank, sample by sample or whole."""
        view, size, samples = self.view, self.batch_size, self.samples
        # Orders are looked up for so many samples at once.
        ahead = max(1, 512 // size)
        for first in range(worker, -(-samples // size), workers * ahead):
            batches = np.arange(first, first + workers * ahead, workers)
            items = (batches[:, None] * size + np.arange(size)).ravel()
            positions = view.rank_positions(self.rank, items[items < samples], self.start)
            # Padded samples have no position.
            numbers = np.full(len(positions), -1, dtype=np.int64)
            numbers[positions >= 0] = view.sequences_at(positions[positions >= 0])[1]
            for at in range(0, len(numbers), size if self.batched else 1):
                if self.batched:
                    yield self._cut(view.read_sequences(numbers[at : at + size].tolist()))
                else:
                    yield self._cut(Sequence(*(field[0] for field in view.read_sequences([int(numbers[at])]))))

    def _cut(self, sample: Sequence) -> Any:
        result: Any = shift(sample, self.view.trained) if self.shift else sample
        return context_slice(result, self.place.cp_slices) if self.context_parallel else result

    def loader(self, num_workers: int = 0, **options: Any) -> Any:
        """A torch DataLoader of this dataset's batches with the right `batch_size`."""
        if _torch is None:
            raise ViewError("loader() needs torch; without it iterate over the dataset")
        size = None if self.batched else self.batch_size
        return _torch.DataLoader(self, batch_size=size, num_workers=num_workers, **options)

    def state_dict(self, steps: Optional[int] = None) -> Dict[str, Any]:
        """Where the whole job stands after `steps` steps of this run; the same on every rank.

        Without `steps`: the whole steps that were read through this object in this process. DataLoader workers read ahead in
        processes of their own, so with them `steps` must be given.
        """
        if steps is None:
            if _torch is not None and _torch.get_worker_info() is not None:
                raise ViewError("state_dict() in a DataLoader worker: call it in the main process, with steps=")
            if self._read is None:
                raise ViewError("state_dict() needs steps= (steps done in this run): nothing was read in this process "
                                "(DataLoader workers read in their own)")
            # A last batch that was not full ends the run.
            steps = self.steps if self._read >= self.samples else self._read // self.view.rank_batch
        if not 0 <= steps <= self.steps:
            raise ViewError(f"steps: {steps} lies outside 0 to {self.steps}, the steps of this run")
        return self.view.state(min(self.view.total, self.start + steps * self.view.global_batch))

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Goes on where `state` was taken, on any number of GPUs; refuses another order and lists the fields that differ."""
        self.start = self.view.next_position(state)
        self._read = None


# ---------------------------------------------------------------------------------------------------------------------


def sample(view: View, step: int, rank: int, micro: Optional[int] = None) -> Dict[str, Any]:
    """What a rank reads at a step, as `sluice inspect show --json` says it (without text and origin)."""
    items = []
    for place in view.places(step, rank, micro):
        read = view.sequence(place.sequence)
        items.append({**place._asdict(), "tokens": read.tokens.tolist(), "padding": int(view.context - read.loss_mask.sum()),
                      "documents": [piece._asdict() for piece in view.pieces(place.sequence)]})
    return {"step": step, "rank": rank, "replica": view.rank(rank).dp, "items": items}


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="sluice_view.py", description="Print what a rank reads at a step, as JSON.")
    parser.add_argument("view", help="file that `sluice shard` wrote")
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--step", type=int, required=True)
    parser.add_argument("--micro", type=int, help="only this micro-batch")
    parser.add_argument("--store", action="append", help="folder of a token store (default: beside the view)")
    options = parser.parse_args(arguments)
    try:
        json.dump(sample(View(options.view, options.store), options.step, options.rank, options.micro), sys.stdout)
        print()
    except ViewError as error:
        print(f"sluice_view: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
