"""What the rules for values that are no numbers share; a private module is no plugin."""

import math
import sys

from audioloss_cli.records import Limits, Severity


class Invalid:
    """Critical at once, quiet over every finite float64; the first such value is as bad as the next."""

    type = "critical"
    severity = Severity.CRITICAL
    group = "invalid-loss"
    for_steps = 1
    for_points = 1
    quiet = (-sys.float_info.max, math.inf)

    def __init__(self, limits: Limits) -> None:
        """No limit applies to a value that is no number."""

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False
