"""Audio loss that has gone up and stays there.

What: For 300 training steps and 9 points the median of the last 9 points has exceeded ratio (1.5) times the usual
level, or has gone at least 75 % of the way back to where the loss started, 36 % of the level at least; and it exceeds
the level by 4.5 times the usual distance of neighbouring points, or every one of the last 15 points, and of the last
100 steps, does by 3 times, or lies within one such distance of all others. The usual level is that of the 1000 steps
before, or of the last 75 to 300 steps where the loss still falls. Level and distance of 300 steps earlier will do as
well, for a rise that comes slowly has its part in both: by half as much again, from 1.5 times the present level on.
Noise that stays for hundreds of steps takes a loss up by itself: unless the last points lie that near to each other,
they must also exceed what the loss reached now and then, in 25 steps of 500, since it first lay where it usually does
now: by half of the rise, as a ratio.

Why: A spike heals, this does not: the weights are damaged, and what is trained from here on starts worse than before.

Fix: Stop, roll back to the last checkpoint before the rise, and lower the learning rate or skip the batches at which it
began. After a resume, check that the optimiser and the scheduler were restored.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.rules._levels import beyond_noise, lost, lost_range, recent_medians

_SPREADS, _WIDTH, _SLOW, _CLEARS, _CLEARS_LOST = 4.5, 9, 25, 0.85, 0.97
_LOST, _LEAST = 0.75, 0.72
# Spreads by which so many points, and all of so many steps, exceed the level one by one; or none, if they lie near to
# each other: who guesses does so alike for every batch.
_ALL, _ALL_POINTS, _ALL_STEPS = 3.0, 15, 100
_FAR = 1.5  # times the rise, from the level of 300 steps earlier


class Rule(LossRule):
    """Above the reference times ``ratio``, for long."""

    severity = Severity.CRITICAL
    settled_by = "a held-out loss after these steps, or the checkpoint from before, trained on"
    group = "high-loss"
    numbers_only = True
    for_steps = 300
    for_points = 9
    kinds = frozenset({"ce", "small", "open"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 1.5) -> None:
        self.ratio = ratio
        self.inactive = (lost_range(ratio, _LEAST, _LOST, company=_WIDTH // 2 + 1),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether this point and the last ones lie above."""
        if history.reference is None or point.value - point.value != 0:  # not finite
            return None
        least = self._level(history, 0.0, noisy=False)
        if point.value < least:
            return False
        medians = recent_medians(history, _WIDTH, 1)
        if not medians or medians[-1] < least:
            return False
        if min(point.value, medians[-1]) >= self._level(history):
            return True
        recent = history.last(max(_ALL_POINTS, math.ceil(_ALL_STEPS / max(history.stride, 1.0))))
        lowest = min(recent)
        return lowest >= least and (lowest >= self._level(history, _ALL) or max(recent) - lowest <= history.spread)

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the last points are back."""
        medians = recent_medians(history, _WIDTH, 1) + recent_medians(history, _SLOW, 1)
        return not medians or max(medians) < self._cleared(history)

    def keeps(self, history: SeriesHistory) -> tuple[float, float, int] | None:
        """Above what the median of the last points must be back below."""
        return None if history.reference is None else (self._cleared(history), math.inf, _WIDTH)

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Where it holds and where it clears; between the first two it matters how far apart the last points are."""
        least, every = self._level(history, 0.0, noisy=False), self._level(history, _ALL)
        return (
            None
            if least <= history.last(1)[0] < every
            else [least, every, self._level(history), self._cleared(history)]
        )

    def worse(self, value: float, than: float) -> bool:
        """The higher, the worse."""
        return value > than

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level, and since when the loss is above it."""
        usual = history.level or 0.0
        times = self._level(history, 0.0, noisy=False) / usual if usual else self.ratio
        return (
            f"loss {point.value:.4g} at step {point.step} has been above {times:.3g} times its "
            f"usual level {usual:.4g} since step {since}"
        )

    def _cleared(self, history: SeriesHistory) -> float:
        """Where it is over: sooner where a smaller rise was enough, which harder data may come near to."""
        level, usual = self._level(history, noisy=False), history.level or 0.0
        return (_CLEARS if level >= self.ratio * usual else _CLEARS_LOST) * level

    def _level(self, history: SeriesHistory, spreads: float = _SPREADS, *, noisy: bool = True) -> float:
        usual = history.level or 0.0
        rise = lost((self.ratio - 1) * usual, _LEAST, _LOST, usual, history)
        level = usual + max(rise, spreads * history.spread)
        # The spread holds part of a rise that comes slowly, and the level, too. One by more is seen from before it.
        before = history.earlier_level
        far = before + max(_FAR * (self.ratio - 1) * before, spreads * history.earlier_spread)
        level = min(level, max(self.ratio * usual, far))
        return max(level, usual + beyond_noise(rise, usual, history)) if noisy else level
