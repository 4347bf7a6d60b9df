"""The condition that the low-loss rules of a fixed threshold share; a private module is no plugin."""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, LossRule, Point, SeriesHistory
from audioloss_cli.rules._levels import recent_median

_FEW, _FAR = 5, 100


class Below(LossRule):
    """Holds strictly below a threshold; a value that is not finite says nothing either way."""

    group = "low-loss"
    numbers_only = True
    may_be_usual = True
    kinds = frozenset({"ce", "open"})

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.inactive = (InactiveRange(low=threshold),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value is below; None for NaN, infinities and missing values.

        Of a loss that may be small by nature the last 5 points are asked, for noise takes single ones to anywhere; or
        the last 2, where it usually is above a hundred times as much.
        """
        if not math.isfinite(point.value):
            return None
        if not point.value < self.threshold or history.kind != "open":
            return point.value < self.threshold
        usual = history.reference or history.start or 0.0
        if usual > _FAR * self.threshold and not history.noisy and len(history.points) > 1:
            return max(history.last(2)) < self.threshold
        return recent_median(history, _FEW) < self.threshold

    def memory(self, history: SeriesHistory) -> int:
        """The value alone."""
        return 1 if history.kind == "ce" else super().memory(history)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """The threshold."""
        return [self.threshold]
