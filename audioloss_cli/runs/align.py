"""The values of one series at the steps of another one.

After a restart steps are there twice: the first time goes with the first, the second with the second. What was logged
more often than the series itself counts as last logged.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

from audioloss_cli.model import MISSING, Series, is_missing
from audioloss_cli.model.columns import BLOCK, POINTS_WORTH_IMPORTING, blocks
from audioloss_cli.storage.long_column import LongColumn

_WORTH_ARRAYS = 256  # points, where numpy is paid for
# Points of the other series that are matched in one go, and passes over the same steps that are told apart without all
# points in memory.
_MOST_POINTS, _MOST_PASSES = 1 << 20, 1000
_SHRINKS = 0.75  # of the points of a slice, in half of it; if more are left, it is of no use to cut


def aligned(series: Series, other: Series, least: float, *, arrays: bool = False) -> Sequence[float] | None:
    """Float64, one value a point of ``series``, ``MISSING`` where ``other`` has none.

    Args:
        series: at whose points.
        other: whose values.
        least: the share of points that must have one.
        arrays: importing numpy is worth it, however short they are.

    Returns:
        None if fewer than the share ``least`` are not missing. A column that is no sequence of numbers in memory if the
        series is too long for that; its slices are.
    """
    if _same(series.steps, other.steps):
        return other.values
    arrays = arrays or len(series) + len(other) >= POINTS_WORTH_IMPORTING
    column = _column(series.steps, other, arrays=arrays)
    if not least:
        return column
    parts = (column[start : start + BLOCK] for start in range(0, len(series), BLOCK))
    return column if sum(_missing(part, arrays=arrays) for part in parts) < len(series) * (1 - least) else None


def _missing(values: Sequence[float], *, arrays: bool) -> int:
    if not arrays:
        return sum(map(is_missing, values))
    import numpy as np

    found = np.asarray(values, np.float64).view(np.int64)
    return int(np.count_nonzero(found == np.float64(MISSING).view(np.int64)))


def _column(steps: Sequence[int], other: Series, *, arrays: bool) -> Sequence[float]:
    if isinstance(steps, LongColumn) or isinstance(other.steps, LongColumn):
        passes, others = _passes(steps), _passes(other.steps)
        if max(len(passes), len(others)) <= _MOST_PASSES:
            return LateColumn(steps, passes, other, others)
    return matched(steps, other.steps, other.values, arrays=arrays)


def _same(steps: Sequence[int], others: Sequence[int]) -> bool:
    if len(steps) != len(others):
        return False
    starts = range(0, len(steps), BLOCK)
    return all(_equal(steps[start : start + BLOCK], others[start : start + BLOCK]) for start in starts)


def _equal(one: Sequence[int], other: Sequence[int]) -> bool:
    return one == other if isinstance(one, array) and isinstance(other, array) else list(one) == list(other)


def matched(steps: Sequence[int], others: Sequence[int], values: Sequence[float], *, arrays: bool) -> "array[float]":
    """The values of the others at each of the steps; by numpy, if ``arrays``, where there are enough."""
    if arrays and len(steps) + len(others) >= _WORTH_ARRAYS:
        return _by_array(steps, others, values)
    return array("d", _one_by_one(steps, others, values))


def _one_by_one(steps: Sequence[int], others: Sequence[int], values: Sequence[float]) -> Iterator[float]:
    there: dict[int, list[float]] = {}
    for step, value in zip(others, values, strict=True):
        there.setdefault(step, []).append(value)
    wanted, seen = Counter(steps), Counter[int]()
    for step in steps:
        found = there.get(step, [MISSING])
        place = seen[step] + max(len(found) - wanted[step], 0)
        seen[step] += 1
        yield found[min(place, len(found) - 1)]


def _by_array(steps: Sequence[int], others: Sequence[int], values: Sequence[float]) -> "array[float]":
    """The same with both in the order of their steps: each step is a stretch of the one and a stretch of the other."""
    import numpy as np

    order, turn = np.argsort(np.asarray(steps), kind="stable"), np.argsort(np.asarray(others), kind="stable")
    own, there = np.asarray(steps)[order], np.asarray(others)[turn]
    first, start = np.searchsorted(own, own), np.searchsorted(there, own)
    wanted, count = np.searchsorted(own, own, "right") - first, np.searchsorted(there, own, "right") - start
    place = np.minimum(np.arange(len(own)) - first + np.maximum(count - wanted, 0), count - 1)
    found = np.full(len(own), MISSING)
    hit = np.flatnonzero(count)
    found[order[hit]] = np.asarray(values, np.float64)[turn[(start + place)[hit]]]
    return array("d", found.tobytes())


class LateColumn(Sequence[float]):
    """A column that is matched slice by slice, when a slice is asked for.

    Steps rise within a pass and go back between two, so what a slice needs are the points of each pass within its range
    of steps. Where very many points have one step, all are matched at once, in memory.
    """

    def __init__(self, steps: Sequence[int], passes: Sequence[range], other: Series, others: Sequence[range]) -> None:
        self._steps, self._passes = steps, passes
        self._other, self._others = other, others

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self[index : index + 1 or None][0]
        start, end, stride = index.indices(len(self))
        return self._part(start, end)[::stride] if end > start else array("d")

    @cached_property
    def _all(self) -> "array[float]":
        return matched(self._steps, self._other.steps, self._other.values, arrays=True)

    def _part(self, start: int, end: int) -> "array[float]":
        own, others = self._over(start, end)
        points = sum(map(len, (*own, *others)))
        if points > _MOST_POINTS:
            middle = (start + end) // 2
            # Of epochs in the place of steps, or of many passes, half a slice goes over about as many points.
            if middle == start or sum(map(len, chain(*self._over(start, middle)))) > _SHRINKS * points:
                return self._all[start:end]
            return self._part(start, middle) + self._part(middle, end)
        found = matched(
            _joined("q", self._steps, own),
            _joined("q", self._other.steps, others),
            _joined("d", self._other.values, others),
            arrays=True,
        )
        before = sum(len(part) for part in own if part.start < start and part.stop <= start)
        before += sum(start - part.start for part in own if part.start < start < part.stop)
        return found[before : before + end - start]

    def _over(self, start: int, end: int) -> tuple[list[range], list[range]]:
        """The points of either series, pass by pass, whose steps lie within those of a slice."""
        steps = self._steps[start:end]
        least, most = min(steps), max(steps)
        return _within(self._steps, self._passes, least, most), _within(self._other.steps, self._others, least, most)


def _passes(steps: Sequence[int]) -> list[range]:
    """The stretches of points, by index, in which no step is lower than the one before."""
    starts, last, index = [0], None, 0
    for block in blocks(steps):
        starts += [index + place for place in _falls(block, last)]
        index, last = index + len(block), block[-1] if len(block) else None
    return [range(start, end) for start, end in pairwise([*starts, len(steps)])]


def _falls(steps: Sequence[int], before: int | None) -> list[int]:
    import numpy as np  # worth it for any column that does not fit into memory

    first = [0] if before is not None and steps[0] < before else []
    found = np.asarray(steps)
    return first + (np.flatnonzero(found[1:] < found[:-1]) + 1).tolist()


def _within(steps: Sequence[int], passes: Sequence[range], least: int, most: int) -> list[range]:
    """Of each pass the points whose steps lie between the two, both included."""
    return [
        range(bisect_left(steps, least, part.start, part.stop), bisect_right(steps, most, part.start, part.stop))
        for part in passes
    ]


def _joined(code: str, column: Sequence[Any], parts: Sequence[range]) -> "array[Any]":
    found = array(code)
    for part in parts:
        found.extend(column[part.start : part.stop])
    return found
