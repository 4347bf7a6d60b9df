"""Audio loss that has collapsed before it had a usual level.

What: Within the first steps (1000) training steps, or 20 points where they are sparse, the loss is at 2 points in a row
below the highest of its first 5 values, or 16 nats if that is less, divided by ratio (32). Where neighbouring points
usually differ by more than a third of the level, the median of the last 5 is below the median of the first 5, divided
by ratio.

Why: A task that is solved that fast is trivial: only EOS or BOS is left unmasked, or the model reads the answer. There
is no usual level yet that a drop could be measured by, and waiting for one is waiting until it is too late.

Fix: Stop the run. Check on one batch that enough labels differ from -100 and are not all the same, and that the logits
at t are scored against the code at t + 1: audioloss probe does both.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory
from audioloss_cli.model.median import median
from audioloss_cli.rules._levels import recent_median

_POINTS, _WIDTH = 20, 5
_MOST = 16.0  # nats: twice what guessing costs, as a head that was not trained for these codes may start


class Rule(LossRule):
    """Below the start divided by ``ratio``, early."""

    group = "low-loss"
    numbers_only = True
    kinds = frozenset({"ce"})
    adaptive = True
    inactive = None

    def __init__(self, limits: Limits, *, ratio: float = 32.0, steps: float = 1000) -> None:
        self.ratio = ratio
        self.steps = steps
        self._most = _MOST * limits.threshold / Limits().threshold

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether it is early no more."""
        return history.age > self._until(history)

    def _until(self, history: SeriesHistory) -> float:
        return max(self.steps, _POINTS * history.stride)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the last two points lie below."""
        if point.value - point.value != 0 or not history.first:  # not finite
            return None
        level = self._level(history)
        if point.value >= level or history.age > self._until(history) or max(history.last(2)) >= level:
            return False
        return not history.noisy or recent_median(history, _WIDTH) < min(median(history.first), self._most) / self.ratio

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """Where one of the points lies below, or all of them before there is a start."""
        return values < (self._level(history) if history.start is not None else math.inf)

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether this point is back."""
        return not history.first or point.value >= self._level(history)

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Where it clears; as long as it is early, the steps matter."""
        return None if history.age <= self._until(history) or not history.first else [self._level(history)]

    def span(self, history: SeriesHistory, *, holding: bool) -> tuple[float, float] | None:
        """Not where it clears, however early it is; the start must be known, for the level is taken from it."""
        return None if holding or history.start is None else (self._level(history), math.inf)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the start and how far below it the loss is."""
        start = self.ratio * self._level(history) if history.first else point.value
        return (
            f"loss {point.value:.4g} at step {point.step} is below 1/{self.ratio:g} of its start {start:.4g} "
            f"after {history.age} steps"
        )

    def _level(self, history: SeriesHistory) -> float:
        return min(max(history.first), self._most) / self.ratio
