"""The difference of two stored tensors, read piece by piece side by side."""

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from audioloss_cli.checkpoints.comparison import TensorChange
from audioloss_cli.checkpoints.health import Progress
from audioloss_cli.checkpoints.health.elements import FLOATS, PARTS, Array, decoded, raw_dtype
from audioloss_cli.checkpoints.health.pieces import Reader, UnreadableValuesError, axes_of, count_of, ordered_pieces
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor

Pair = tuple[StoredTensor, StoredTensor]
_MOST = 100
_MOST_ROWS = 1 << 24  # of which it is noted whether they are the same, a byte each


def change_of_each(
    pairs: Mapping[str, Pair], *, jobs: int = 1, progress: Progress | None = None
) -> tuple[dict[str, TensorChange], dict[str, str]]:
    """Return the change by name, and why there is none by the names of the others.

    Args:
        pairs: name -> our tensor and the base's, of one shape.
        jobs: threads.
        progress: called as tensors are done.
    """
    order = sorted(pairs, key=lambda name: (str(pairs[name][0].file), pairs[name][0].offset, name))
    changes, unread, done = dict[str, TensorChange](), dict[str, str](), 0
    total = sum(pair[0].nbytes for pair in pairs.values())
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        for name, found in zip(order, pool.map(lambda name: _change(*pairs[name]), order), strict=True):
            if isinstance(found, TensorChange):
                changes[name] = found
            else:
                unread[name] = found
            done += pairs[name][0].nbytes
            if progress is not None:
                progress(done, total, name)
    return {name: changes[name] for name in pairs if name in changes}, unread


def _change(ours: StoredTensor, base: StoredTensor) -> TensorChange | str:
    """Return the change, or why there is none."""
    for each in (ours, base):
        if each.dtype not in ITEMSIZES:
            return f"the values of dtype {each.dtype} are not read"
    is_byte = any(each.dtype.startswith("F8") for each in (ours, base))
    if ours.dtype != base.dtype and (is_byte or not {ours.dtype, base.dtype} <= FLOATS.keys()):
        return f"{ours.dtype} is not compared with {base.dtype}"
    if not (ours.is_in_order and base.is_in_order) and _cuts(ours) != _cuts(base):
        return "it lies in pieces that are cut otherwise than in the other one"
    try:
        if count_of(axes_of(ours)) != count_of(axes_of(base)):
            return "its values are repeated in one of the two files"
        return _Difference(ours, base).measured()
    except UnreadableValuesError as error:
        return str(error)


def _cuts(tensor: StoredTensor) -> list[tuple[int, ...]]:
    return [each.shape for each in tensor.pieces]


class _Difference:
    """Sums over one pair of tensors."""

    def __init__(self, ours: StoredTensor, base: StoredTensor) -> None:
        self.ours, self.base = ours, base
        self.is_one_dtype = ours.dtype == base.dtype
        self.squares, self.base_squares, self.differing = 0.0, 0.0, 0
        rows = ours.shape[0] if len(ours.shape) > 1 and ours.elements else 0
        self.row = ours.elements // rows if 0 < rows <= _MOST_ROWS and _has_rows(ours, base) else 0
        self.differs = np.zeros(rows if self.row else 0, np.bool_)

    def measured(self) -> TensorChange:
        if self.ours.elements:
            for first, one, other in _side_by_side(self.ours, self.base):
                self._add(first, one, other)
        norms = math.sqrt(self.squares), math.sqrt(self.base_squares)
        if not self.differing:
            return TensorChange(*norms, is_same=True)
        same = np.flatnonzero(~self.differs)
        return TensorChange(
            *norms,
            is_same=False,
            same_rows=tuple(same[:_MOST].tolist()),
            same=len(same),
            same_runs=_longest_runs(same),
        )

    def _add(self, first: int, one: Array, other: Array) -> None:
        """Take in elements from this ordinal on, as bits."""
        theirs = _numbers(other, self.base.dtype)
        self.base_squares += _sum_of_squares(theirs)
        if self.is_one_dtype:
            if np.array_equal(one, other):
                return
            differs, mine = one != other, _numbers(one, self.ours.dtype)
        else:
            mine = _numbers(one, self.ours.dtype)
            differs = ~_equal(mine, _rounded(theirs, self.ours.dtype))
        if self.ours.dtype in PARTS:
            differs = differs.reshape(-1, 2).any(1)
        self.squares += _sum_of_squares(mine - theirs)
        self.differing += int(differs.sum())
        if self.row:
            self._mark(first, differs)

    def _mark(self, first: int, differs: Array) -> None:
        """Note the rows in which something differs."""
        rows = np.arange(first // self.row, (first + len(differs) - 1) // self.row + 1)
        starts = np.maximum(rows * self.row - first, 0)
        self.differs[rows] |= np.logical_or.reduceat(differs, starts)


def _side_by_side(ours: StoredTensor, base: StoredTensor) -> Iterator[tuple[int, Array, Array]]:
    """Yield stretches of both in the order of the shape: the ordinal of the first element, and bits of each.

    Pieces of two dtypes hold different numbers of elements: what one has too many waits for the other.
    """
    parts = 2 if ours.dtype in PARTS else 1
    with Reader() as one, Reader() as other:
        streams = [ordered_pieces(ours, one), ordered_pieces(base, other)]
        waiting: list[Array] = [np.empty(0, raw_dtype(each.dtype)) for each in (ours, base)]
        at = 0
        while True:
            for side, stream in enumerate(streams):
                if not len(waiting[side]):
                    piece = next(stream, None)
                    waiting[side] = waiting[side] if piece is None else piece.values
            count = min(len(each) for each in waiting)
            if not count:
                return
            yield at, waiting[0][:count], waiting[1][:count]
            waiting = [each[count:] for each in waiting]
            at += count // parts


def _has_rows(*tensors: StoredTensor) -> bool:
    """Whether elements come row by row, none of them left out."""
    return all(each.strides is None and each.is_in_order for each in tensors)


def _numbers(raw: Array, dtype: str) -> Array:
    """Return float64."""
    found = decoded(raw, dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        return found if found.dtype == np.float64 else found.astype(np.float64)


def _sum_of_squares(values: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.dot(values, values))


def _equal(one: Array, other: Array) -> Array:
    equal: Array = (one == other) | (np.isnan(one) & np.isnan(other))
    return equal


def _rounded(values: Array, dtype: str) -> Array:
    """Return the nearest numbers of a dtype, ties to the even one, as float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype == "F64":
            return values
        if dtype in ("F16", "F32"):
            return values.astype(np.float16 if dtype == "F16" else np.float32).astype(np.float64)
        if dtype != "BF16":
            return values
        bits = values.astype(np.float32).view(np.uint32)
        odd = (bits >> 16) & 1
        up = ((bits + 0x7FFF + odd) & np.uint32(0xFFFF0000)).view(np.float32)
        finite = np.isfinite(values)
        return np.where(finite, up, values.astype(np.float32)).astype(np.float64)


def _longest_runs(rows: Array) -> tuple[tuple[int, int], ...]:
    """Return stretches of rows that follow each other, the longest first."""
    if not len(rows):
        return ()
    cuts = np.flatnonzero(np.diff(rows) != 1) + 1
    firsts, lasts = rows[np.concatenate([[0], cuts])], rows[np.concatenate([cuts - 1, [len(rows) - 1]])]
    longest = np.argsort(firsts - lasts, kind="stable")[:_MOST]
    return tuple((int(firsts[at]), int(lasts[at]) + 1) for at in longest)
