"""Audio loss that has fallen and is back at the level of guessing.

What: The loss started within 4 % of what guessing costs (ln V, see chance-level), its usual level has fallen at least
25 % below; and the last 5 points are within 4 % of it again and their median within 2 %, at 3 points. The last 15
points, if the level has not fallen by 4.5 times the usual distance of neighbouring points.

Why: All that was learnt is gone: the weights were overwritten, have become NaN and were reset, or one step destroyed
them. It may look like a spike at first, but a spike rarely ends at this number.

Fix: Stop, roll back to the last checkpoint before, and look at the gradient norm and the learning rate there. After a
resume, check that the weights were loaded: a model that was made anew starts at this level.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.naming.chance import Chance
from audioloss_cli.rules._chance import start_at
from audioloss_cli.rules._levels import recent_median

_FALLEN, _BACK, _WIDTH, _LONG = 0.75, 0.02, 5, 15
_SPREADS = 4.5
# The start is twice as near to chance as what is still there: a loss that was logged late has begun to fall.
_TIMES, _ROUND = 2.0, 0.96


class Rule(LossRule):
    """At chance, from below."""

    type = "critical"
    severity = Severity.CRITICAL
    settled_by = "a held-out loss after these steps, or the checkpoint from before, trained on"
    group = "high-loss"
    numbers_only = True
    for_points = 3
    kinds = frozenset({"ce", "open"})
    adaptive = True
    inactive = (InactiveRange(start_share=(1 - 2 * _BACK) * _ROUND, fallen=_FALLEN / _ROUND, company=_WIDTH),)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether the loss did not start at chance."""
        return history.start is not None and start_at(history, _TIMES) is None

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the last points are back."""
        chance, value = start_at(history, _TIMES), point.value
        if chance is None or value - value != 0:  # not finite
            return None
        level = history.level
        if value < (1 - 2 * _BACK) * chance.level or level is None or level > _FALLEN * chance.level:
            return False
        # A model that guesses does so alike for every batch, and noise that reaches as far does not stay there.
        far = level + _SPREADS * history.spread <= chance.level
        recent = history.last(_WIDTH if far else _LONG)
        if max(abs(each - chance.level) for each in recent) > 2 * _BACK * chance.level:
            return False
        return abs(recent_median(history, _WIDTH) - chance.level) <= _BACK * chance.level

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the last points have left it, up or down."""
        chance = start_at(history, _TIMES)
        return chance is None or abs(recent_median(history, _WIDTH) - chance.level) > 2 * _BACK * chance.level

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Where a point is back, and where the median of the last ones is, or has left."""
        chance = start_at(history, _TIMES)
        if chance is None:
            return []
        shares = (1 - 2 * _BACK, 1 - _BACK, 1 + _BACK, 1 + 2 * _BACK)
        return [bound for share in shares for bound in _around(share * chance.level)]

    def worse(self, value: float, than: float) -> bool:
        """The higher, the worse."""
        return value > than

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the level, and where the loss was."""
        chance = start_at(history, _TIMES) or Chance(0, 1, point.value)
        return (
            f"loss {point.value:.4g} at step {point.step} is back at {chance}, the cost of guessing, after a usual "
            f"level of {history.level or 0:.4g}"
        )


def _around(level: float) -> list[float]:
    """A level, and what follows: a bound may belong to either side, by a rounding."""
    return [math.nextafter(level, -math.inf), level, math.nextafter(level, math.inf)]
