"""Audio loss that starts at a multiple of the level of guessing.

What: The median of the first 5 points is within 2 % of K ln V, and each of them within 10 %, for the V codes and the K
codebooks that the run names (in a configuration file, or as losses of their own), else for those of a known codec and K
= 4, 8, 9, 12, 16 or 32; and the thresholds are those of a mean. A loss that does not name audio is no sum by its level
alone.

Why: The log holds the sum over codebooks. The thresholds are meant for the mean: a sum over 8 that has collapsed reads
0.032 and passes below none of them.

Fix: Scan with --scale K, or log the mean over codebooks.
"""

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.naming.chance import Chance
from audioloss_cli.rules._chance import start_at

_STEADY = 0.1  # share of the level: what falls through it at once has met it by chance
_MEAN_THRESHOLD = 0.02  # above it, somebody has scaled the thresholds already


class Rule(LossRule):
    """Starts at a sum; said once."""

    severity = Severity.INFO
    settled_by = "--scale, or the number of codebooks in config.json beside the log"
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
    chance = start_at(history)
    if chance is None or chance.codebooks == 1:
        return None
    steady = all(abs(value - chance.level) <= _STEADY * chance.level for value in history.first)
    return chance if steady else None
