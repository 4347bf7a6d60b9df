"""Audio loss that the log names but leaves empty.

What: The series held numbers, and this row of the log has a null in their place.

Why: Many loggers write NaN as null, because JSON has no NaN. Tools that skip the row report such a run as clean.

Fix: Treat it as NaN: roll back to the last checkpoint before this step and check the batch for audio labels that are
all -100. Then let the logger write NaN as NaN, so that it can be told from a value that was never computed.
"""

from audioloss_cli.model import Point, SeriesHistory, is_missing
from audioloss_cli.rules._invalid import Invalid


class Rule(Invalid):
    """A null in place of a number."""

    def holds(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the value is missing."""
        return is_missing(point.value)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the step."""
        return f"loss is missing at step {point.step}: null where the series had numbers"
