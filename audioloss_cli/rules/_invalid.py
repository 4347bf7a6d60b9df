"""What the rules for values that are no numbers share; a private module is no plugin."""

import sys
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, LossRule, SeriesHistory, Severity


class Invalid(LossRule):
    """Critical at once, inactive over every finite float64; the first such value is as bad as the next."""

    severity = Severity.CRITICAL
    certainty = "certain"
    settled_by = "the log itself; its batches say why"
    group = "invalid-loss"
    inactive = (InactiveRange(low=-sys.float_info.max),)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """None: values that are no numbers are told apart anyhow."""
        return []

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False
