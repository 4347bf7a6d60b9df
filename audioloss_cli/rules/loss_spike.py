"""Audio loss that jumps far above its own usual level.

What: At 3 points in a row the loss exceeds ratio (2) times its usual level, or is back at least 85 % of the way to
where it started, half of the level at least; and it exceeds the level by 6 times the usual distance of neighbouring
points. Where the log has less than a point in 3 steps, 2 points will do that exceed it by twice as much; less than a
point in 5 steps, a single one that exceeds it by three times as much. Where neighbouring points usually differ by more
than a third of the level, the median of the last 9 must exceed it as well as 3 in a row, and one or two must be three
times as far away. The usual level is that of the 1000 steps before,
or of the last 75 to 300 steps where the loss still falls. Where it went up as high more than 5 times within the last
100 points, that is no spike but how the loss is. Nor is it one that does not exceed, by half of the rise as a ratio,
what the loss reached now and then, in 25 steps of 500, since it first lay where it usually does now.

Why: A batch that the model cannot digest, a learning rate that is too high, a corrupted shard, or optimiser state lost
at a resume. Most spikes heal, but what follows one starts from damaged weights.

Fix: Look at the batches of these steps and at the gradient norm. If spikes come back, clip gradients lower or lower the
learning rate; if this one does not heal, roll back and skip the batches.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory
from audioloss_cli.rules._levels import beyond_noise, lost, lost_range, recent_medians

_SPREADS, _LOST, _LEAST = 6, 0.85, 0.5
# Points in a row, that exceed the level by so many times the height, where a point stands for more than so many steps.
_ENOUGH = ((3, 1.0, 0), (2, 2.0, 3), (1, 3.0, 5))
_WIDTH, _NOISY_FAR = 9, 3.0
_EARLIER, _SHARE, _OWN = (
    100,
    0.05,
    10,
)  # points, the share of tails among them, and the last ones, which may be the spike


class Rule(LossRule):
    """Above the level times ``ratio``."""

    settled_by = "the batches of these steps, and whether it heals"
    group = "high-loss"
    numbers_only = True
    kinds = frozenset({"ce", "small", "open"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 2.0) -> None:
        self.ratio = ratio
        self.inactive = (
            lost_range(ratio, _LEAST, _LOST, company=2),
            InactiveRange(high_share=1 + 3 * (ratio - 1)),
        )

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the last points, or this one by far, lie above."""
        level = history.level
        if level is None or point.value - point.value != 0:  # not finite
            return None
        height = self._height(level, history)
        if point.value < level + height:
            return False
        for count, least in self._enough(level, history):
            if self._lowest(count, history) >= least:
                return not _is_usual(level + height, history)
        return False

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether this point is back below half the way."""
        level = history.level
        return level is None or point.value < level + self._height(level, history) / 2

    def keeps(self, history: SeriesHistory) -> tuple[float, float, int] | None:
        """Above half the way back."""
        level = history.level
        return None if level is None else (level + self._height(level, history) / 2, math.inf, 1)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """Where one, two and three points are enough, and where it clears."""
        level = history.level or 0.0
        height = self._height(level, history)
        return [level + height / 2, level + height, *(least for _, least in self._enough(level, history))]

    def worse(self, value: float, than: float) -> bool:
        """The higher, the worse."""
        return value > than

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level and how far above it the loss is."""
        usual = history.level or point.value
        times = point.value / usual if usual else 1.0
        return f"loss {point.value:.4g} at step {point.step} is {times:.3g} times its usual level {usual:.4g}"

    @staticmethod
    def _lowest(count: int, history: SeriesHistory) -> float:
        """Of the last points, so many; where noise may lift three of them by chance, of the median of more as well."""
        lowest = min(history.last(count))
        if count < _ENOUGH[0][0] or not history.noisy:
            return lowest
        return min([lowest, *(recent_medians(history, _WIDTH, 1) or [-math.inf])])

    def _enough(self, level: float, history: SeriesHistory) -> list[tuple[int, float]]:
        """So many points in a row that are at least so high; fewer than 3 must double the level, whatever was lost."""
        height, spread = self._height(level, history), _SPREADS * history.spread
        full = max((self.ratio - 1) * level, spread)
        stride, far = history.stride, _NOISY_FAR if history.noisy else 1.0
        return [
            (count, level + (height if count == _ENOUGH[0][0] else far * times * full))
            for count, times, sparse in _ENOUGH
            if stride > sparse
        ]

    def _height(self, level: float, history: SeriesHistory) -> float:
        rise = lost((self.ratio - 1) * level, _LEAST, _LOST, level, history)
        return beyond_noise(max(rise, _SPREADS * history.spread), level, history)


def _is_usual(high: float, history: SeriesHistory) -> bool:
    """Whether the points before went up as high so often that heavy tails are the nature of the series."""
    earlier = history.last(_EARLIER)[:-_OWN]
    return sum(before < high <= value for before, value in pairwise(earlier)) > _SHARE * _EARLIER
