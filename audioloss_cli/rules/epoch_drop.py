"""Audio loss that drops where an epoch begins.

What: From an epoch boundary on (the epoch is logged beside the loss), at least 3 points lie below half the usual level
of the 1000 steps before, and their median, and the last one, below that level divided by ratio (2.5), and the points
before the boundary did not. If the loss stepped
down at the boundary before as well, this step must be twice as long on a logarithmic scale.

Why: Data that is seen again is memorised: steps of 10 to 25 % are usual, and a small set goes down in stairs by up to a
half each. What falls by more at once has other data: a collator that writes -100 into cached samples does all of it the
first time that they come again.

Fix: Collate the same samples twice and compare: audioloss probe does. Copy the labels before masking them.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.model.median import median
from audioloss_cli.model.point import EPOCH
from audioloss_cli.rules._levels import recent_medians

_HALF, _BEFORE_THE_LAST = 0.5, 1.25
_LEAST, _MOST, _NORMAL = 3, 12, 0.7  # points after the boundary; share of the usual level before it


class Rule(LossRule):
    """Below the reference divided by ``ratio`` since an epoch began."""

    severity = Severity.CRITICAL
    group = "low-loss"
    numbers_only = True
    specific = 4
    kinds = frozenset({"ce"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 2.5) -> None:
        self.ratio = ratio
        self.inactive = (InactiveRange(low_share=1 / ratio, company=2),)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether no epoch has been logged."""
        return EPOCH not in history.names

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the drop began where the epoch did."""
        if history.reference is None or point.value - point.value != 0:  # not finite
            return None
        level = history.reference / self.ratio
        after = _since_the_boundary(history) if point.value < level else []
        # A point that is logged at the very boundary still belongs to the epoch before.
        later = after[1:] if after and after[0] >= level else after
        if len(later) < _LEAST or median(later) >= level or max(later) >= _HALF * history.reference:
            return False
        if not self._normal_before(history, len(after)):
            return False
        return not self._goes_down_in_stairs(history, len(after), median(later))

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the last points are back."""
        medians = recent_medians(history, _LEAST, 1)
        return history.reference is None or not medians or medians[-1] >= _NORMAL * history.reference

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Where it may hold and where it clears; below, the epoch matters."""
        level = (history.reference or 0.0) / self.ratio
        return None if history.last(1)[0] < level else [level, _NORMAL * (history.reference or 0.0)]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level and the epoch."""
        return (
            f"loss {point.value:.4g} at step {point.step} is below 1/{self.ratio:g} of its usual level "
            f"{history.reference or 0:.4g} since epoch {math.floor(point.beside.get(EPOCH, 0.0))} began"
        )

    def _goes_down_in_stairs(self, history: SeriesHistory, after: int, level: float) -> bool:
        """Whether the step at the boundary before was half as long as this one, or longer."""
        points = history.points
        first, newest = points[-after], points[-1]
        oldest = next((each for each in points if _has_epoch(each)), newest)
        epochs = newest.beside[EPOCH] - oldest.beside[EPOCH]
        if epochs <= 0 or newest.step <= oldest.step:
            return False
        length = (newest.step - oldest.step) / epochs
        if history.level_before(int(first.step - _BEFORE_THE_LAST * length)) is None:
            return False  # the boundary before is the start: from there on a loss falls anyhow
        before = history.level_before(int(first.step - length))
        between = history.level_before(first.step)
        if before is None or between is None or not before > between > level > 0:
            return False
        return _HALF * math.log(between / level) <= math.log(before / between)

    def _normal_before(self, history: SeriesHistory, after: int) -> bool:
        before, usual = history.last(after + _LEAST)[:_LEAST], history.reference or 0.0
        return median(before) >= _NORMAL * usual and min(before) >= usual / self.ratio


def _since_the_boundary(history: SeriesHistory) -> list[float]:
    """The values since the epoch changed, oldest first; empty if it did not among the last points."""
    recent = list(history.points)[-_MOST:]
    epochs = [math.floor(each.beside.get(EPOCH, math.nan)) if _has_epoch(each) else None for each in recent]
    for index in range(len(recent) - 1, 0, -1):
        before, now = epochs[index - 1], epochs[index]
        if before is not None and now is not None and now > before:
            return [each.value for each in recent[index:]]
    return []


def _has_epoch(point: Point) -> bool:
    return math.isfinite(point.beside.get(EPOCH, math.nan))
