"""What is kept of a series once its run is finished: the minimum, maximum and mean of at most so many parts."""

import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import sub
from typing import Any, NamedTuple

from audioloss_cli.model.columns import BLOCK, POINTS_WORTH_IMPORTING, lies_in_a_file
from audioloss_cli.model.series import Series

#: Parts of a series in which something was found, and of one in which nothing was.
PARTS_WITH_INCIDENTS, PARTS = 512, 64

_POINTS_WORTH_ARRAYS = 256  # of a part: of fewer, Python finds the lowest and the highest as fast

_Bounds = tuple[int, int, int]  # of a part: segment, first index, end
_Summary = tuple[int, float, float, float]  # how many values are finite; the lowest, the highest, the mean of them


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


class Envelope(NamedTuple):
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
        bounds = list(_bounds(len(series), segment_starts, length))
        if not bounds:
            return cls(array("q"), array("d"))
        segments, starts, ends = zip(*bounds, strict=True)
        finite, low, high, mean = zip(*_summaries(series, bounds, length), strict=True)
        first, last = [series.steps[start] for start in starts], [series.steps[end - 1] for end in ends]
        whole = zip(segments, map(sub, ends, starts), first, last, finite, strict=True)
        values = zip(low, high, mean, strict=True)
        return cls(array("q", chain.from_iterable(whole)), array("d", chain.from_iterable(values)))

    def by_segment(self) -> "Envelope":
        """Return the same in one part a segment."""
        together = [_joined(list(parts)) for _, parts in groupby(self.parts, key=lambda part: part.segment)]
        whole = array("q", chain.from_iterable((*part[:4], part.finite) for part in together))
        return Envelope(whole, array("d", chain.from_iterable((part.low, part.high, part.mean) for part in together)))

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


def _joined(parts: Sequence[Part]) -> Part:
    """Return neighbours of one segment as one part."""
    known = [part for part in parts if part.finite]
    finite = sum(part.finite for part in known)
    return parts[0]._replace(
        points=sum(part.points for part in parts),
        last_step=parts[-1].last_step,
        low=min((part.low for part in known), default=math.nan),
        high=max((part.high for part in known), default=math.nan),
        mean=sum(part.mean * (part.finite / finite) for part in known) if known else math.nan,
        finite=finite,
    )


def _bounds(count: int, segment_starts: Sequence[int], length: int) -> Iterator[_Bounds]:
    """Yield the segment, the first index and the end of each part."""
    ends = [*segment_starts[1:], count]
    for segment, (start, end) in enumerate(zip(segment_starts, ends, strict=True)):
        for first in range(start, end, length):
            yield segment, first, min(first + length, end)


def _summaries(series: Series, bounds: Sequence[_Bounds], length: int) -> Sequence[_Summary]:
    values = series.values
    arrays = length >= _POINTS_WORTH_ARRAYS and len(values) >= POINTS_WORTH_IMPORTING  # it was replayed by them
    if not arrays and not lies_in_a_file(values):
        numbers: Sequence[float] = values.tolist() if hasattr(values, "tolist") else values  # an array makes each anew
        parts = [numbers[start:end] for _, start, end in bounds]
        sums, counts = list(map(sum, parts)), list(map(len, parts))
        if math.isfinite(sum(sums)):  # so is each value
            means = [total / count + 0.0 for total, count in zip(sums, counts, strict=True)]
            return list(zip(counts, map(min, parts), map(max, parts), means, strict=True))
    return [_summary_in_pieces(values, start, end, arrays=arrays) for _, start, end in bounds]


def _summary_in_pieces(values: Sequence[float], start: int, end: int, *, arrays: bool) -> _Summary:
    low, high, mean, finite = math.inf, -math.inf, 0.0, 0
    for piece in _pieces(values, start, end):
        count, least, most, middle = _summary_of(piece, arrays=arrays)
        if count:
            low, high, finite = min(low, least), max(high, most), finite + count
            mean += (middle - mean) * (count / finite)
    return (finite, low, high, mean) if finite else (0, math.nan, math.nan, math.nan)


def _summary_of(piece: Sequence[float], *, arrays: bool) -> _Summary:
    if arrays:
        import numpy as np

        part = np.asarray(piece)
        total = float(part.sum())
        if math.isfinite(total):  # so is each value
            return len(part), float(part.min()), float(part.max()), total / len(part)
    known = _finite(piece)
    if not len(known):
        return 0, math.nan, math.nan, math.nan
    return len(known), float(min(known)), float(max(known)), _mean(known)


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
