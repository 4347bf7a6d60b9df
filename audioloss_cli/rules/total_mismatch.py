"""Total loss that holds the text loss alone.

What: The total and the text loss are logged beside the audio loss, and at 5 points in a row the total exceeds the text
loss by less than a thousandth of the audio loss.

Why: The audio loss is computed and logged, but never added: no gradient reaches the audio head, whatever its curve
says.

Fix: Add it: loss = text_loss + weight * audio_loss, before backward(), and check that the gradient of the audio head is
not 0.
"""

import math
from collections.abc import Mapping
from typing import Any

from audioloss_cli.model import LossRule, Point, SeriesHistory, Severity
from audioloss_cli.model.point import TEXT, TOTAL

_SHARE = 1e-3


class Rule(LossRule):
    """Total minus text is nothing."""

    severity = Severity.CRITICAL
    certainty = "certain"
    settled_by = "the gradient of the audio head after backward()"
    group = "total-mismatch"
    numbers_only = True
    for_points = 5
    kinds = frozenset({"ce", "small", "open"})
    inactive = None

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether the two are not logged."""
        return not {TEXT, TOTAL} <= history.names

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the total is the text loss; None where one of the three is no number, or the audio loss is 0."""
        total, text = point.beside.get(TOTAL, math.nan), point.beside.get(TEXT, math.nan)
        if not math.isfinite(total + text + point.value) or point.value <= 0:
            return None
        return abs(total - text) < _SHARE * point.value

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """The same by the array; NaN is no match."""
        return abs(beside[TOTAL] - beside[TEXT]) < _SHARE * values

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the three."""
        return (
            f"total loss {point.beside[TOTAL]:.6g} equals the text loss {point.beside[TEXT]:.6g} at step {point.step}, "
            f"without the audio loss {point.value:.4g}"
        )
