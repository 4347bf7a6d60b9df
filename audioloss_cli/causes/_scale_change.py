"""A level that is multiplied by 2, 4, 8, 16, ... from one point to the next, and keeps its shape.

Accumulation steps, the number of codebooks and that of ranks are such factors. Damaged weights lead to any level, with
another noise, and data of another kind does as well.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from audioloss_cli.causes._scene import Scene
from audioloss_cli.model.median import median

_FACTORS = (2, 4, 8, 16, 32, 64)
_POINTS, _LEAST, _MOST_BACK = 20, 6, 60
_NEAR, _NOISE, _PAUSE = 0.07, 2.5, 20  # logarithm of a level; ratio of the noise as a share of it; usual waits
_RESUMED, _ALONE, _TWICE = 0.75, 0.45, 0.25


def scale_change(scene: Scene) -> tuple[float, str] | None:
    """Return the weight of it, and a clause; None if the level did not change by such a factor at the incident."""
    series, incident = scene.item.series, scene.incident
    if incident.resolution == "recovered":
        return None
    starts = scene.item.segment_starts
    begin = starts[min(incident.segment, len(starts) - 1)]
    end = next((start for start in starts if start > begin), len(series))
    first = min(bisect_left(series.steps, incident.first_step, begin, end), end - 1)
    after = _finite(series.values[first : min(first + _POINTS, end)])
    before, first = _before(scene, begin, first, after)
    if min(len(before), len(after)) < _LEAST or min(*before, *after) <= 0:
        return None
    ratio = median(after) / median(before)
    factor = next((f for f in _FACTORS if abs(abs(math.log(ratio)) - math.log(f)) <= _NEAR), 0)
    if not factor or not 1 / _NOISE <= _noise(after) / max(_noise(before), 1e-12) <= _NOISE:
        return None
    resumed = first <= begin or _has_paused(series.wall_times, first)
    weight = _RESUMED if resumed else _TWICE if factor == _FACTORS[0] else _ALONE
    times = f"{factor} times" if ratio > 1 else f"1/{factor} of"
    where = f"at step {int(series.steps[first]):,}" + (", where the training was resumed" if resumed else "")
    return weight, f"the level is {times} what it was ({median(before):.4g} to {median(after):.4g}) {where}"


def _before(scene: Scene, begin: int, first: int, after: Sequence[float]) -> tuple[list[float], int]:
    """The last values at the level before, and the index of the first point at the new one."""
    values, steps = scene.item.series.values, scene.item.series.steps
    earliest = max(begin, first - _MOST_BACK)
    known = _finite(values[earliest:first])
    if known and after and min(*known, *after) > 0:
        if earliest == begin and abs(math.log(median(known) / median(after))) < math.log(_FACTORS[0]) / 2:
            first = earliest  # a rule that compares medians speaks some points late
        middle = math.sqrt(median(known) * median(after))
        while first > earliest and (values[first - 1] > middle) == (median(after) > middle):
            first -= 1
    if first - begin >= _LEAST:
        return _finite(values[max(first - _POINTS, begin) : first]), first
    # At the start of a segment: what stands at the same steps before it.
    previous = max((start for start in scene.item.segment_starts if start < begin), default=begin)
    place = bisect_left(steps, steps[begin], previous, begin)
    return _finite(values[max(place - _POINTS // 2, previous) : min(place + _POINTS // 2, begin)]), begin


def _noise(values: Sequence[float]) -> float:
    return median(abs(after - before) for before, after in pairwise(values)) / median(values)


def _has_paused(times: Sequence[float], first: int) -> bool:
    """Whether the log stood still before this point, far longer than it does between two points."""
    if first < 1:
        return False
    recent = times[max(first - _POINTS, 0) : first]
    waits = [after - before for before, after in pairwise(recent) if after > before]
    wait = times[first] - times[first - 1]
    return len(waits) >= _LEAST and math.isfinite(wait) and wait > _PAUSE * median(waits)


def _finite(values: Sequence[float]) -> list[float]:
    return [float(value) for value in values if math.isfinite(value)]
