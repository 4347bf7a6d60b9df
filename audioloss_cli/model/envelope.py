"""What is kept of a series once its run is finished: the minimum, maximum and mean of at most so many parts."""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from audioloss_cli.model.columns import BLOCK, lies_in_a_file
from audioloss_cli.model.series import Series

#: Parts of a series in which something was found, and of one in which nothing was.
PARTS_WITH_INCIDENTS, PARTS = 512, 64


class Part(NamedTuple):
    """Points of a series that follow each other, within one segment.

    Attributes:
        segment: 0, then one more at each restart.
        points: how many there are.
        first_step, last_step: of the first and the last of them, in the order of the log.
        low, high: lowest and highest finite value; NaN if no value is finite.
        mean: of the finite values; NaN if none is.
        finite: how many values are finite.
    """

    segment: int
    points: int
    first_step: int
    last_step: int
    low: float
    high: float
    mean: float
    finite: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A series in parts of about equal length, cut at restarts.

    They are kept as columns of numbers: of ten thousand runs, objects would take three times as much memory.

    Attributes:
        whole: int64, five a part: segment, points, first and last step, how many values are finite.
        values: float64, three a part: lowest, highest, mean.
    """

    whole: "array[int]"
    values: "array[float]"

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, in the order of the log."""
        whole, values = iter(self.whole), iter(self.values)
        rows = zip(whole, whole, whole, whole, whole, values, values, values, strict=True)
        return tuple(
            Part(segment, points, first, last, low, high, mean, finite)
            for segment, points, first, last, finite, low, high, mean in rows
        )

    @classmethod
    def of(cls, series: Series, segment_starts: Sequence[int], most: int) -> "Envelope":
        """Return the envelope of a series in at most about ``most`` parts; never more than ``most`` plus its segments.

        Args:
            series: the whole series.
            segment_starts: index of the first point of each segment; the first is 0.
            most: number of parts that equal lengths would give.
        """
        length = max(-(-len(series) // most), 1)
        whole, values = array("q"), array("d")
        for bounds in _bounds(len(series), segment_starts, length):
            part = _part(series, *bounds)
            whole.extend((part.segment, part.points, part.first_step, part.last_step, part.finite))
            values.extend((part.low, part.high, part.mean))
        return cls(whole, values)

    @property
    def points(self) -> int:
        """Number of points of the series."""
        return sum(part.points for part in self.parts)

    @property
    def extremes(self) -> tuple[float, float] | None:
        """Lowest and highest finite value; None if no value is finite."""
        known = [part for part in self.parts if part.finite]
        return (min(part.low for part in known), max(part.high for part in known)) if known else None

    @property
    def span(self) -> tuple[int, int]:
        """Lowest and highest step; within a segment no step is lower than the one before."""
        return min(part.first_step for part in self.parts), max(part.last_step for part in self.parts)


def _bounds(count: int, segment_starts: Sequence[int], length: int) -> Iterator[tuple[int, int, int]]:
    """Yield the segment, the first index and the end of each part."""
    ends = [*segment_starts[1:], count]
    for segment, (start, end) in enumerate(zip(segment_starts, ends, strict=True)):
        for first in range(start, end, length):
            yield segment, first, min(first + length, end)


def _part(series: Series, segment: int, start: int, end: int) -> Part:
    if not lies_in_a_file(series.values):
        values = series.values[start:end]
        total = float(sum(values))
        if math.isfinite(total):  # so is each of them
            ends, bounds = (
                (int(series.steps[start]), int(series.steps[end - 1])),
                (float(min(values)), float(max(values))),
            )
            return Part(segment, end - start, *ends, *bounds, total / len(values) + 0.0, len(values))
    return _part_in_pieces(series, segment, start, end)


def _part_in_pieces(series: Series, segment: int, start: int, end: int) -> Part:
    low, high, mean, finite = math.inf, -math.inf, 0.0, 0
    for values in _pieces(series.values, start, end):
        known = _finite(values)
        if not len(known):
            continue
        low, high, finite = min(low, float(min(known))), max(high, float(max(known))), finite + len(known)
        mean += (_mean(known) - mean) * (len(known) / finite)
    first, last = int(series.steps[start]), int(series.steps[end - 1])
    if not finite:
        low = high = mean = math.nan
    return Part(segment, end - start, first, last, low, high, mean, finite)


def _finite(values: Sequence[float]) -> Sequence[float]:
    """Return the finite values; a sum that is finite tells without a look at each that all are."""
    return values if math.isfinite(sum(values)) else [value for value in values if math.isfinite(value)]


def _mean(values: Sequence[float]) -> float:
    total = float(sum(values))
    return total / len(values) if math.isfinite(total) else math.fsum(value / len(values) for value in values)


def _pieces(values: Any, start: int, end: int) -> Iterator[Any]:
    if not lies_in_a_file(values):
        yield values[start:end]
        return
    for first in range(start, end, BLOCK):
        yield values[first : min(first + BLOCK, end)]
