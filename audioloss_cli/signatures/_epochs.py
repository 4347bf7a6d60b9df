"""Whether a drop stands at an epoch boundary."""

import math
from dataclasses import dataclass

from audioloss_cli.signatures import _names
from audioloss_cli.signatures._scene import Scene


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
    return whole if whole >= 1 and now > then and then < whole + stride / 2 else None
