"""Where the losses of two runs part: the first step that differs at all, and the stretches in which they are apart."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from audioloss_cli.comparison.model import Curve

_SAME = 1e-6  # relative difference up to which two values are one that was written in two ways
_FEW_COMMON = 10  # common steps with which values at common steps alone are compared
_BLOCKS, _SMALLEST_BLOCK = 100, 5  # what is apart is apart in the median of a block of points
_SHARE, _NOISES = 0.05, 3.0  # of the level, and of the noise from point to point: so far apart is apart
_NOISE_OF_A_CHANGE = 1.4826 / math.sqrt(2)  # standard deviation of normal noise, by the median change


class Stretch(NamedTuple):
    """Steps at which two losses are apart, and the median of each there."""

    first_step: int
    last_step: int
    a: float
    b: float


class Parting(NamedTuple):
    """How two losses go along with each other.

    Attributes:
        steps: at how many steps they were compared.
        interpolated: whether the second was interpolated at the steps of the first, for want of common ones.
        first_difference: the first step at which they differ at all; None if at none.
        values: of both at that step.
        stretches: where they are apart by more than their noise, in order.
        stays_apart: whether the last stretch goes on to the last step.
        ends: the median of both over the last block.
    """

    steps: int
    interpolated: bool
    first_difference: int | None
    values: tuple[float, float]
    stretches: list[Stretch]
    stays_apart: bool
    ends: tuple[float, float]


def parting_of(a: Curve, b: Curve) -> Parting | None:
    """Return where two losses part; None if they have no steps in common to compare them at."""
    first, second = dict(zip(a.steps, a.values, strict=True)), dict(zip(b.steps, b.values, strict=True))
    steps = sorted(first.keys() & second.keys())
    interpolated = len(steps) < min(_FEW_COMMON, len(first), len(second))
    if interpolated:
        low, high = min(second, default=0), max(second, default=0)
        steps = sorted(step for step in first if low <= step <= high) if second else []
        second = _interpolated(second, steps)
    if not steps:
        return None
    left, right = [first[step] for step in steps], [second[step] for step in steps]
    differing = next((at for at, pair in enumerate(zip(left, right, strict=True)) if not _is_same(*pair)), None)
    block = max(len(steps) // _BLOCKS, min(_SMALLEST_BLOCK, len(steps)))
    stretches = [] if differing is None else _stretches(steps, left, right, block)
    return Parting(
        len(steps),
        interpolated,
        None if differing is None else steps[differing],
        (left[differing or 0], right[differing or 0]),
        stretches,
        bool(stretches) and stretches[-1].last_step == steps[-1],
        (_middle(left[-block:]), _middle(right[-block:])),
    )


def _interpolated(points: dict[int, float], steps: Sequence[int]) -> dict[int, float]:
    known = sorted(points)
    found = dict[int, float]()
    for step in steps:
        at = bisect_left(known, step)
        after = known[at]
        before = known[at - 1] if at and after != step else after
        share = (step - before) / (after - before) if after != before else 0.0
        found[step] = points[before] * (1 - share) + points[after] * share if share else points[before]
    return found


def _is_same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_SAME, abs_tol=0.0) or (math.isnan(a) and math.isnan(b))


def _stretches(steps: Sequence[int], a: Sequence[float], b: Sequence[float], block: int) -> list[Stretch]:
    noise = max(_noise(a), _noise(b))
    apart = [_distance(x, y) - max(_SHARE * _size(x, y), _NOISES * noise) for x, y in zip(a, b, strict=True)]
    found = list[tuple[int, int]]()
    for start in range(0, len(steps), block):
        end = min(start + block, len(steps))
        if median(apart[start:end]) <= 0:
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((next(at for at in range(start, end) if apart[at] > 0), end))
    return [Stretch(steps[start], steps[end - 1], _middle(a[start:end]), _middle(b[start:end])) for start, end in found]


def _distance(a: float, b: float) -> float:
    """Infinite where one of two is no number."""
    if math.isfinite(a) and math.isfinite(b):
        return abs(a / 2 - b / 2) * 2
    return 0.0 if _is_same(a, b) else math.inf


def _size(a: float, b: float) -> float:
    return min(abs(a), abs(b)) if math.isfinite(a) and math.isfinite(b) else 0.0


def _noise(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    changes = [abs(later - earlier) for earlier, later in pairwise(known)]
    return _NOISE_OF_A_CHANGE * median(changes) if changes else 0.0


def _middle(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(median(known)) if known else math.nan
