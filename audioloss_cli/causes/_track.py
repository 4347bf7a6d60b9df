"""The points of one series in the order of their steps."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import le
from typing import Self

from audioloss_cli.model import Series
from audioloss_cli.model.columns import blocks

_ENOUGH = 500  # points that say what a series did, however long it is
_MOST_SORTED = 1 << 20
_COMMON = 50  # points that are enough to tell whether two series are the same


@dataclass(frozen=True, slots=True)
class Track:
    """Steps that never go back, and the value at each; passes of a restarted run are merged."""

    tag: str
    steps: Sequence[int]
    values: Sequence[float]

    @classmethod
    def of(cls, series: Series) -> Self:
        """Sorted only where the steps go back; then, of very many points, an even choice."""
        steps, values = series.steps, series.values
        if _rise(steps):
            return cls(series.tag, steps, values)
        stride = 1 + len(steps) // _MOST_SORTED
        steps, values = steps[::stride], values[::stride]
        order = sorted(range(len(steps)), key=steps.__getitem__)
        return cls(series.tag, [steps[index] for index in order], [values[index] for index in order])

    def between(self, first: int, last: int) -> list[float]:
        """The finite values at steps from ``first`` to ``last``, both included."""
        return [value for value in self.logged(first, last) if math.isfinite(value)]

    def logged(self, first: int, last: int) -> list[float]:
        """The values there as logged, NaN and all; of very many an even choice, the last one among them."""
        begin, end = bisect_left(self.steps, first), bisect_right(self.steps, last)
        stride = 1 + max(end - begin, 0) // _ENOUGH
        return [float(self.values[index]) for index in range(end - 1, begin - 1, -stride)][::-1]

    def at(self, step: int) -> float | None:
        """The last value at or before a step; None before the first."""
        index = bisect_right(self.steps, step)
        return float(self.values[index - 1]) if index else None


def _rise(steps: Sequence[int]) -> bool:
    last = array("q")
    for block in blocks(steps):
        if not all(map(le, last, block[:1])) or not all(map(le, block, islice(block, 1, None))):
            return False
        last = block[-1:]
    return True


def common(end: int, *tracks: Track) -> Iterator[tuple[float, ...]]:
    """The values of all tracks at the last steps of the first one, up to ``end``, at which each has a finite one."""
    steps = tracks[0].steps
    until = bisect_right(steps, end)
    for step in steps[max(0, until - _COMMON) : until]:
        row = [track.between(step, step) for track in tracks]
        if all(row):
            yield tuple(values[-1] for values in row)
