"""Whether a loss has changed by a factor of its bookkeeping: accumulation steps, ranks, sums in place of means."""

import math
from itertools import pairwise
from typing import NamedTuple

from audioloss_cli.model.median import median
from audioloss_cli.signatures._scene import Scene

_FACTORS = (2, 4, 8, 16, 32)
_NEAR, _AT_ONCE = 0.08, 0.25  # shares: of the factor, and of its logarithm that the very first point must have moved
_POINTS, _LEAST, _ALIKE = 40, 5, 2.5


class Factor(NamedTuple):
    """By how much the loss has changed, as a factor or its inverse, and whether its noise was multiplied as well."""

    factor: int
    is_larger: bool
    clause: str
    same_noise: bool


def factor_at(scene: Scene) -> Factor | None:
    """The factor between the points after and before the onset, from one point to the next; None if it is none."""
    onset = scene.incident.first_step
    before = [value for value in scene.track.between(scene.shape.begin, onset - 1) if value > 0][-_POINTS:]
    after = [value for value in scene.track.between(onset, scene.incident.last_step) if value > 0][:_POINTS]
    if min(len(before), len(after)) < _LEAST:
        return None
    ratio = median(after) / median(before)
    factor = min(_FACTORS, key=lambda each: abs(math.log(max(ratio, 1 / ratio) / each)))
    if abs(max(ratio, 1 / ratio) / factor - 1) > _NEAR:
        return None
    if abs(math.log(after[0] / median(before)) / math.log(ratio) - 1) > _AT_ONCE:
        return None
    noises = sorted((_noise(before), _noise(after)))
    times = f"{factor} times" if ratio > 1 else f"1/{factor} of"
    clause = f"{median(after):.4g} is {times} {median(before):.4g}, from one point to the next"
    return Factor(factor, ratio > 1, clause, noises[0] > 0 and noises[1] <= _ALIKE * noises[0])


def _noise(values: list[float]) -> float:
    """Median distance of neighbours, as a share: what a factor leaves as it is."""
    return median([abs(math.log(after / before)) for before, after in pairwise(values)])
