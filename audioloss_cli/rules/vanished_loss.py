"""Audio loss that is nothing to the last digit.

What: At 5 points in a row the loss is above 0 and below 1e-7, which is what float32 can tell of a cross entropy; or it
is below critical_threshold and the gradient norm beside it is exactly 0.

Why: Whatever the loss is, its gradient is gone: the model is certain of each answer, negatives of a contrastive loss
have become the same, or the softmax has overflowed. No step from here on changes a weight.

Fix: Go back to the last checkpoint with a loss that moves. Check that labels cannot be read from the inputs, that the
negatives differ from the positives, and that the logits are scaled by a temperature.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.model.point import GRAD_NORM

_NOTHING = 1e-7  # half the distance of float32 to 1


class Rule(LossRule):
    """Below what float32 can tell from 0, or without any gradient."""

    severity = Severity.CRITICAL
    certainty = "certain"
    settled_by = "the gradient norm of the next steps, which is 0"
    group = "low-loss"
    numbers_only = True
    specific = 2
    for_points = 5
    kinds = frozenset({"ce", "open"})

    def __init__(self, limits: Limits) -> None:
        self.threshold = limits.critical_threshold
        self.inactive = (InactiveRange(low=max(limits.critical_threshold, _NOTHING)),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether nothing can be learnt at this loss; 0 itself belongs to another rule."""
        if not math.isfinite(point.value):
            return None
        return 0 < point.value < _NOTHING or (0 < point.value < self.threshold and point.beside.get(GRAD_NORM) == 0)

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """Where the value is nothing, or low beside a gradient of 0."""
        nothing = (values > 0) & (values < _NOTHING)
        if GRAD_NORM not in beside:
            return nothing
        return nothing | ((values > 0) & (values < self.threshold) & (beside[GRAD_NORM] == 0))

    def memory(self, history: SeriesHistory) -> int:
        """The value alone, where the gradient does not matter."""
        return 2 if GRAD_NORM in history.names else 1

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Where it holds; below the threshold the gradient matters."""
        levels = [math.ulp(0.0), _NOTHING, max(self.threshold, _NOTHING)]
        return None if _NOTHING <= history.last(1)[0] < self.threshold and GRAD_NORM in history.names else levels

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the value, and the gradient."""
        gone = " and the gradient norm is 0" if point.beside.get(GRAD_NORM) == 0 else ""
        said = f"loss {point.value:.4g} at step {point.step} is nothing to the last digit{gone}"
        return f"{said}: nothing is learnt any more"
