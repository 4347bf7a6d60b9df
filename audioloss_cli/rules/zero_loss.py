"""Audio loss of exactly 0.

What: One logged value is exactly 0. In a series that is or may be small by nature, only from a value on that was at
least half the warning threshold, because a logger that rounds makes a zero of anything less; if nothing tells whether
it is, also from the first point on. A term that is 0 at every point beside healthy ones has a weight of 0, and is none.

Why: A cross entropy over codes is never 0. The audio branch had nothing to do: its inputs were filtered out, the logits
were empty (shape [0, 8, 1026]), every label was -100, or a NaN was logged as 0.

Fix: Print the keys and shapes of one batch as the model gets them: audio_out_ids and label_audio_ids must be there,
with columns, and labels must differ from -100. With the Hugging Face Trainer look at remove_unused_columns, and log
with logging_nan_inf_filter=False, so that a NaN is seen.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, Limits, Point, SeriesHistory, Severity
from audioloss_cli.model.rule import LossRule


class Rule(LossRule):
    """Exactly 0."""

    severity = Severity.CRITICAL
    settled_by = "the batch of this step: how many labels differ from -100"
    group = "low-loss"
    numbers_only = True
    specific = 1
    kinds = frozenset({"ce", "small", "open"})
    inactive = (InactiveRange(low=math.ulp(0.0)),)

    def __init__(self, limits: Limits) -> None:
        self._rounded = limits.threshold / 2

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value is 0, and could not be by rounding."""
        if not math.isfinite(point.value):
            return None
        if point.value != 0 or history.kind == "ce":
            return point.value == 0
        before = history.last(2)[0]
        since_the_start = history.kind == "open" and before == 0 and max(history.first, default=1.0) == 0
        return before >= self._rounded or since_the_start

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether it is no zero any more."""
        return point.value != 0

    def memory(self, history: SeriesHistory) -> int:
        """The value alone, where no 0 can be due to rounding."""
        return 1 if history.kind == "ce" else super().memory(history)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """0, what follows it, and what cannot be 0 by rounding."""
        return [0.0, math.ulp(0.0), self._rounded]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the step."""
        return f"loss is exactly 0 at step {point.step}: there was nothing to predict"
