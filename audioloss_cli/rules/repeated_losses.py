"""Audio loss that is the same, to the last digit, in every epoch.

What: The first 12 values of the series, no more than two of them alike, come again, in the same order and to the last
digit, twice at the same distance.

Why: The batches of an epoch come again, but weights that have moved give them other losses. These do not move: no
parameter is in the optimiser, the optimiser never steps, or the loss is computed from a frozen copy of the model.

Fix: Compare one parameter of the audio head before and after a step. Check that the optimiser was made from the
parameters of the model that is trained, after it was wrapped, moved or given adapters, and that step() is called.
"""

from audioloss_cli.model import LossRule, Point, SeriesHistory, Severity

_TWICE = 2


class Rule(LossRule):
    """The same values again and again; said once."""

    severity = Severity.CRITICAL
    group = "repeated-losses"
    numbers_only = True
    inactive = None
    once = True

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether they have not come again often enough."""
        return history.recurrences < _TWICE

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether they have."""
        return None if point.value - point.value != 0 else history.recurrences >= _TWICE

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the distance."""
        return (
            f"the losses up to step {point.step} repeat the first ones of the run to the last digit, every "
            f"{history.recurrence_period:,} points: the weights do not change"
        )
