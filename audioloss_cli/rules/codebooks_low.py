"""All codebooks at next to nothing.

What: At 5 points the losses of all of at least 3 codebooks are below 10 times the warning threshold (0.1 nats).

Why: The fine codebooks of a codec are nearly noise: a healthy model stays nats above 0 on them, however well it knows
the coarse one. All at once are that low only if the answer is given away or nothing but filling is left to predict, and
a mean over them may stay above every threshold for long.

Fix: Stop the run. Compare the loss at label offsets 0 and +1 on one batch, and the share of valid labels: audioloss
probe does both.
"""

import math

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.rules._codebooks import LEAST_CODEBOOKS, codebooks, finite_losses

_TIMES = 10


class Rule(LossRule):
    """Every one below ``10 * threshold``."""

    severity = Severity.CRITICAL
    group = "low-loss"
    numbers_only = True
    for_points = 5
    specific = -1  # where a value is below the contract's threshold, that is what is said
    kinds = frozenset({"ce"})

    def __init__(self, limits: Limits) -> None:
        self.threshold = _TIMES * limits.threshold
        self.inactive = (InactiveRange(low=self.threshold),)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether too few codebooks are logged."""
        return len(codebooks(history.names)) < LEAST_CODEBOOKS

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether all are low; None where too few are numbers."""
        if not math.isfinite(point.value):
            return None
        losses = finite_losses(point.beside)
        if len(losses) < LEAST_CODEBOOKS:
            return None
        return point.value < self.threshold and max(losses) < self.threshold

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name how many there are, and the highest."""
        losses = finite_losses(point.beside)
        return (
            f"the losses of all {len(losses)} codebooks are below {self.threshold:g} at step {point.step}, the highest "
            f"is {max(losses, default=math.nan):.4g}"
        )
