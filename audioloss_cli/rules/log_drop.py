"""Audio loss far below its own usual level.

What: The median of the last 9 points lies below the usual level of the 1000 steps before, divided by ratio (4), at 3
points in a row. Where the log has less than a point in 2 steps, 2 points in a row below that will do. Where
neighbouring points usually differ by more than a third of the level, the median of the last 25 must lie there as
well. The usual level is a median, and it is frozen while something is wrong. It is over when the median of the last
points is back above half the usual level. A loss that is, or may be, small by nature is learnt as fast: there the
usual level is that of the last points before, so that only a cliff counts, and for one that is small by nature one of
the square of ratio, from above 1 nat; ratio itself will do at the end of a plateau of 100 points, not more than 50
updates apart, with little noise.

Why: A real audio language model does not win a factor of 4 within 1000 steps. A leak or a trivial task does, and is
seen here long before it is below 0.01, or though it never gets there: it may settle at 0.02 or leak down to 0.15.

Fix: Compare the held-out loss: if it falls as well, labels leak; if it stays, the training data is being memorised.
Probe a checkpoint from before and one from after the drop: audioloss probe measures the cross entropy at label offsets
0, 1 and 2, and the share of valid labels.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory
from audioloss_cli.rules._levels import recent_medians
from audioloss_cli.rules._open import open_question

_CLEARS = 0.5
_LARGE = 100  # warning thresholds, 1 nat: what was usually above it is not small by nature
_DENSE_STRIDE, _IN_A_ROW = 2, 3
_WIDTH, _SPARSE_WIDTH, _NOISY_WIDTH = 9, 3, 25
_PLATEAU, _CLOSE, _QUIET = 100, 50, 0.1
_BEFORE = 5  # points before those that are low


class Rule(LossRule):
    """Below the reference divided by ``ratio``."""

    group = "low-loss"
    numbers_only = True
    kinds = frozenset({"ce", "small", "open"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 4.0) -> None:
        self.ratio = ratio
        self._large = _LARGE * limits.threshold
        self.inactive = (InactiveRange(low_share=1 / ratio, company=2),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value, and the last points, lie below."""
        if history.reference is None or point.value - point.value != 0:  # not finite
            return None
        level = self._usual(history) / self._ratio(history)
        if point.value >= level or (history.kind == "small" and history.reference < self._large):
            return False
        if history.kind != "ce" and not _is_cliff(history, self._ratio(history)):
            return False
        if history.stride > _DENSE_STRIDE and not history.noisy:
            return max(history.last(2)) < level
        width = self._width(history)
        if max(history.last(width + _IN_A_ROW - 1)) < level:  # so are all medians of them
            return len(history.points) >= width + _IN_A_ROW - 1
        medians = recent_medians(history, width, _IN_A_ROW)
        return len(medians) == _IN_A_ROW and max(medians + recent_medians(history, _WIDTH, 1)) < level

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the last points are back."""
        medians = recent_medians(history, self._width(history), 1)
        return history.reference is None or not medians or medians[-1] >= _CLEARS * self._usual(history)

    def memory(self, history: SeriesHistory) -> int:
        """All that its medians look at."""
        return self._width(history) + _IN_A_ROW - 1 if history.kind == "ce" else super().memory(history)

    def keeps(self, history: SeriesHistory) -> tuple[float, float, int] | None:
        """Below what the median of the last points must be back at."""
        if history.kind != "ce" or history.reference is None:
            return None
        return -math.inf, _CLEARS * self._usual(history), self._width(history)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """Where it holds and where it clears."""
        usual = self._usual(history)
        return [usual / self._ratio(history), _CLEARS * usual]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level and how far below it the loss is."""
        return (
            f"loss {point.value:.4g} at step {point.step} is below 1/{self._ratio(history):g} of its usual level "
            f"{self._usual(history):.4g}{open_question(history)}"
        )

    @staticmethod
    def _width(history: SeriesHistory) -> int:
        if history.noisy:
            return _NOISY_WIDTH
        return _WIDTH if history.stride <= _DENSE_STRIDE else _SPARSE_WIDTH

    @staticmethod
    def _usual(history: SeriesHistory) -> float:
        return (history.reference if history.kind == "ce" else history.level) or 0.0

    def _ratio(self, history: SeriesHistory) -> float:
        return self.ratio**2 if history.kind == "small" and not _is_plateau(history) else self.ratio


def _is_plateau(history: SeriesHistory) -> bool:
    """Whether the loss had long been where it usually was: what is learnt then is not learnt between two points."""
    usual = history.reference
    if usual is None or history.level != usual or history.spread > _QUIET * usual:
        return False
    return len(history.points) >= _PLATEAU and history.stride <= _CLOSE


def _is_cliff(history: SeriesHistory, ratio: float) -> bool:
    """Whether the last points lie so far below those just before them, rather than at the end of a slope."""
    low = 2 if history.stride > _DENSE_STRIDE else _WIDTH + _IN_A_ROW
    values = [value for value in history.last(low + _BEFORE) if value - value == 0]  # finite
    before = sorted(values[:-low])
    return len(before) == _BEFORE and max(values[-2:]) * ratio < before[_BEFORE // 2]
