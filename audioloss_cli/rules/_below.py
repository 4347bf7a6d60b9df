"""The condition that the three low-loss rules share; a private module is no plugin."""

import math

from audioloss_cli.records import Severity


class Below:
    """Holds strictly below a threshold; a value that is not finite says nothing either way."""

    group = "low-loss"
    severity = Severity.WARNING
    for_steps = 1
    for_points = 1

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.quiet = (threshold, math.inf)

    def holds(self, step: int, value: float) -> bool | None:
        """Whether the value is below; None for NaN, infinities and missing values."""
        return value < self.threshold if math.isfinite(value) else None

    def worse(self, value: float, than: float) -> bool:
        """The lower, the worse."""
        return value < than
