"""Whether a drop stands at an epoch boundary."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from audioloss_cli.causes import _names
from audioloss_cli.causes._scene import Scene

_FEW, _FAR, _STAIR = 5, 1 << 62, 0.3  # points at each side of a boundary, steps, and the share of the fall
_BOUNDARIES = 100  # the first ones tell whether a loss goes down a step an epoch
_TOLD_APART = 1 << 53  # a float has no fraction beyond it, and no whole number is between two of them for sure


@dataclass(frozen=True, slots=True)
class Drop:
    """When a drop happened, in epochs.

    Attributes:
        healthy: epoch of the last healthy point.
        bad: epoch of the first bad one.
        crossed: the whole number between them; None if there is none.
        chance: the share of neighbouring points of this series that have a boundary between them.
    """

    healthy: float
    bad: float
    crossed: int | None
    chance: float


def drop(scene: Scene) -> Drop | None:
    """Where in the epochs the incident begins; None if the log does not say, or nothing came before."""
    track, shape = scene.beside(_names.is_epoch), scene.shape
    last = shape.before_step if shape.high_step is None else shape.high_step
    if track is None or not shape.earlier:
        return None
    first, then, now = (track.at(step) for step in (shape.begin, last, shape.first_step))
    if first is None or then is None or now is None or not math.isfinite(first + then + now):
        return None
    chance = min(max(now - first, 0.0) / shape.earlier, 1.0)
    return Drop(then, now, _crossed(then, now, chance), chance)


def epoch_at(scene: Scene) -> float | None:
    """The epoch of the first bad point, as logged."""
    track = scene.beside(_names.is_epoch)
    return track.at(scene.shape.first_step) if track else None


def _crossed(then: float, now: float, stride: float) -> int | None:
    """The epoch that began between two points; a trainer that has finished an epoch says so with its whole number."""
    whole = math.floor(now)
    return whole if 1 <= whole < _TOLD_APART and now > then and then < whole + stride / 2 else None


def earlier_stairs(scene: Scene, found: Drop) -> str:
    """Says so where the loss went down at earlier boundaries as well: it is learnt by heart, a step an epoch.

    A collator that spoils the labels of its samples does all of it when they are first used again.
    """
    track = scene.beside(_names.is_epoch)
    if track is None or found.crossed is None or found.crossed < 2:  # noqa: PLR2004
        return ""
    if not 0 < scene.shape.level < math.inf:
        return ""
    low = scene.shape.first_value
    fall = math.log(scene.shape.level) - math.log(low) if 0 < low < math.inf else math.inf
    for epoch, index in islice(_boundaries(track.values, found.crossed), _BOUNDARIES):
        step = int(track.steps[index])
        before, after = (
            scene.track.between(scene.shape.begin, step - 1)[-_FEW:],
            scene.track.between(step, step + _FAR)[1 : 1 + _FEW],
        )
        if before and after and min(*before, *after) > 0 and _fall(before, after) > _STAIR * fall:
            return (
                f"it went down at the end of epoch {epoch} as well, from {_middle(before):.4g} to {_middle(after):.4g}"
            )
    return ""


def _boundaries(epochs: Iterable[float], end: int) -> Iterator[tuple[int, int]]:
    """Each point at which another whole epoch before ``end`` is reached at first: the epoch, and its place."""
    following = 1
    for place, epoch in enumerate(epochs):
        if epoch >= following:
            yield following, place
            if epoch >= end - 1:
                return
            following = math.floor(epoch) + 1


def _fall(before: list[float], after: list[float]) -> float:
    return math.log(_middle(before)) - math.log(_middle(after))


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
