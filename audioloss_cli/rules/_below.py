"""The condition that the low-loss rules of a fixed threshold share; a private module is no plugin."""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, LossRule, Point, SeriesHistory


class Below(LossRule):
    """Holds strictly below a threshold; a value that is not finite says nothing either way."""

    group = "low-loss"
    numbers_only = True
    kinds = frozenset({"ce"})

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.inactive = (InactiveRange(low=threshold),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value is below; None for NaN, infinities and missing values."""
        return point.value < self.threshold if math.isfinite(point.value) else None

    def memory(self, history: SeriesHistory) -> int:
        """The value alone."""
        return 1 if history.kind == "ce" else super().memory(history)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """The threshold."""
        return [self.threshold]
