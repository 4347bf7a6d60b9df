"""Audio loss that starts at a multiple of the level of guessing.

What: The median of the first 5 points is within 2 % of K ln V, for the V codes of a known codec and K = 4, 8, 9, 12, 16
or 32 codebooks, and the thresholds are those of a mean.

Why: The log holds the sum over codebooks. The thresholds are meant for the mean: a sum over 8 that has collapsed reads
0.032 and passes below none of them.

Fix: Scan with --scale K, or log the mean over codebooks.
"""

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.rules._chance import Chance, chance_near

_MEAN_THRESHOLD = 0.02  # above it, somebody has scaled the thresholds already


class Rule(LossRule):
    """Starts at a sum; said once."""

    type = "sum_scale"
    severity = Severity.INFO
    group = "sum-scale"
    kinds = frozenset({"ce"})
    adaptive = True
    inactive = None
    once = True

    def __init__(self, limits: Limits) -> None:
        self._scaled = limits.threshold > _MEAN_THRESHOLD

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether the start is known and is no sum."""
        return self._scaled or (history.start is not None and _sum_at(history) is None)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the start is a sum."""
        return _sum_at(history) is not None

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the sum."""
        chance = _sum_at(history) or Chance(0, 1, 0.0)
        return (
            f"loss starts at {history.start or 0:.4g} = {chance.codebooks} x ln {chance.vocabulary}: "
            f"a sum over {chance.codebooks} codebooks, for which the thresholds are too low"
        )


def _sum_at(history: SeriesHistory) -> Chance | None:
    chance = chance_near(history.start) if history.start is not None else None
    return chance if chance is not None and chance.codebooks > 1 else None
