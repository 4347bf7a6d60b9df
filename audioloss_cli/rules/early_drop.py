"""Audio loss that has collapsed before it had a usual level.

What: Within the first steps (1000) training steps, or 20 points where they are sparse, the loss is at 2 points in a row
below the highest of its first 5 values, or 16 nats if that is less, divided by ratio (32).

Why: A task that is solved that fast is trivial: only EOS or BOS is left unmasked, or the model reads the answer. There
is no usual level yet that a drop could be measured by, and waiting for one is waiting until it is too late.

Fix: Stop the run. Check on one batch that enough labels differ from -100 and are not all the same, and that the logits
at t are scored against the code at t + 1: audioloss probe does both.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from audioloss_cli.model import Limits, LossRule, Past, Point

_POINTS = 20
_MOST = 16.0  # nats: twice what guessing costs, as a head that was not trained for these codes may start


class Rule(LossRule):
    """Below the start divided by ``ratio``, early."""

    type = "early_drop"
    group = "low-loss"
    numbers_only = True
    kinds = frozenset({"ce"})
    adaptive = True
    quiet = None

    def __init__(self, limits: Limits, *, ratio: float = 32.0, steps: float = 1000) -> None:
        self.ratio = ratio
        self.steps = steps
        self._most = _MOST * limits.threshold / Limits().threshold

    def asleep(self, past: Past) -> bool:
        """Whether it is early no more."""
        return past.age > self._until(past)

    def _until(self, past: Past) -> float:
        return max(self.steps, _POINTS * past.stride)

    def holds(self, point: Point, past: Past) -> bool | None:
        """Whether the last two points lie below."""
        if point.value - point.value != 0 or not past.first:  # not finite
            return None
        level = self._level(past)
        return point.value < level and past.age <= self._until(past) and max(past.last(2)) < level

    def screen(self, values: Any, beside: Mapping[str, Any], past: Past) -> Any:
        """Where one of the points lies below, or all of them before there is a start."""
        return values < (self._level(past) if past.start is not None else math.inf)

    def clears(self, point: Point, past: Past) -> bool:
        """Whether this point is back."""
        return not past.first or point.value >= self._level(past)

    def levels(self, past: Past) -> Sequence[float] | None:
        """Where it clears; as long as it is early, the steps matter."""
        return None if past.age <= self._until(past) or not past.first else [self._level(past)]

    def span(self, past: Past, *, holding: bool) -> tuple[float, float] | None:
        """Not where it clears, however early it is; the start must be known, for the level is taken from it."""
        return None if holding or past.start is None else (self._level(past), math.inf)

    def explain(self, point: Point, past: Past, since: int, points: int) -> str:
        """Name the start and how far below it the loss is."""
        start = self.ratio * self._level(past) if past.first else point.value
        return (
            f"loss {point.value:.4g} at step {point.step} is below 1/{self.ratio:g} of its start {start:.4g} "
            f"after {past.age} steps"
        )

    def _level(self, past: Past) -> float:
        return min(max(past.first), self._most) / self.ratio
