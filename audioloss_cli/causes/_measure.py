"""From an incident and its series to its shape."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from audioloss_cli.causes._figures import Figures, figures
from audioloss_cli.causes._shape import FAR, Shape
from audioloss_cli.model import Incident
from audioloss_cli.model.median import median
from audioloss_cli.model.series_report import AuditedSeries

_HEAD = 3  # the highest of so many first values is where the run starts: a trivial task falls from the second on
_LONGEST_HEAD = 100  # points
_LOOKBACK = 500


def shape_of(item: AuditedSeries, incident: Incident) -> Shape:
    """Measure an incident of a series."""
    steps, values, starts = item.series.steps, item.series.values, item.segment_starts
    begin = starts[min(incident.segment, len(starts) - 1)]
    end = next((start for start in starts if start > begin), len(steps))
    first = min(bisect_left(steps, incident.first_step, begin, end), end - 1)
    last = bisect_right(steps, incident.last_step, begin, end)
    start = _start(values, begin, first, last)
    first = _onset(values, (begin, first, last), _bound(figures(values, first, last), start, item.limits.threshold))
    level = _level(_finite(values[max(begin, first - _LOOKBACK) : first]), start)
    last = _last_bad(values, first, last, max(item.limits.threshold, level / FAR))
    high = _last(values, begin, first, lambda value: value > level / 2)
    before = _last(values, begin, first, math.isfinite)
    return Shape(
        begin=int(steps[begin]),
        start=start,
        level=level,
        before=math.nan if before is None else float(values[before]),
        before_step=int(steps[begin if before is None else before]),
        high=math.nan if high is None else float(values[high]),
        high_step=None if high is None else int(steps[high]),
        first_step=int(steps[first]),
        first_value=float(values[first]),
        between=first - 1 - (begin - 1 if high is None else high),
        earlier=first - begin,
        figures=figures(values, first, last),
        points=last - first,
        back=_back(values, steps, last, end, incident),
        threshold=item.limits.threshold,
    )


def _start(values: Sequence[float], begin: int, first: int, last: int) -> float:
    head = _finite(values[begin : min(first, begin + _LONGEST_HEAD)])[:_HEAD]
    known = (float(values[index]) for index in range(first, last) if math.isfinite(values[index]))
    return max(head) if head else next(known, math.nan)


def _bound(found: Figures, start: float, threshold: float) -> float:
    """What counts as low: below the threshold, or, where it never gets there, near the level that it falls to."""
    if not found.number or found.least < threshold:
        return threshold
    level = median(found.values)
    return 2 * level if level < start / FAR else -math.inf


def _onset(values: Sequence[float], part: tuple[int, int, int], bound: float) -> int:
    """The first low point: a rule may speak before a fall has ended, or, comparing medians, some points late."""
    begin, first, last = part
    first = next((index for index in range(first, last) if values[index] < bound), first)
    earliest, same = max(begin, first - _LOOKBACK), values[first]
    while first > earliest and (values[first - 1] < bound or values[first - 1] == same):
        first -= 1
    return first


def _last_bad(values: Sequence[float], first: int, last: int, bound: float) -> int:
    """A rule that compares medians lets go some points late: a fall ends with its last low point."""
    if not values[first] < bound:
        return last
    return next(index for index in range(last, first, -1) if values[index - 1] < bound)


def _back(values: Sequence[float], steps: Sequence[int], last: int, end: int, incident: Incident) -> float:
    if incident.resolution != "recovered" or incident.resolved_step is None:
        return math.nan
    index = bisect_left(steps, incident.resolved_step, last, end)
    return float(values[index]) if index < end else math.nan


def _level(before: Sequence[float], start: float) -> float:
    """What was usual while the loss had not yet fallen far: a plateau long after the start is not the start's level."""
    return median([value for value in before if value > start / 8] or [start])


def _last(values: Sequence[float], begin: int, end: int, wanted: Callable[[float], bool]) -> int | None:
    return next((index for index in range(end - 1, begin - 1, -1) if wanted(values[index])), None)


def _finite(values: Sequence[float]) -> list[float]:
    return [float(value) for value in values if math.isfinite(value)]
