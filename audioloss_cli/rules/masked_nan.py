"""Audio loss of 0 that hides a NaN.

What: One logged value is exactly 0, and at the same step the gradient norm is NaN or infinite, or is not logged though
it was before; or a reward beside it is NaN.

Why: The Hugging Face Trainer leaves NaN out of the loss that it logs (logging_nan_inf_filter): a step whose loss is NaN
counts as 0. The gradient norm gives it away.

Fix: Log with logging_nan_inf_filter=False and roll back to the last checkpoint before this step. Look in the batch for
audio labels that are all -100; then at the learning rate, gradient clipping and the loss scale.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, LossRule, Point, SeriesHistory, Severity
from audioloss_cli.model.point import GRAD_NORM, REWARD


class Rule(LossRule):
    """0, beside a gradient norm that is none."""

    severity = Severity.CRITICAL
    certainty = "certain"
    settled_by = "logging_nan_inf_filter=False, which logs the NaN"
    group = "low-loss"
    numbers_only = True
    specific = 2
    inactive = (InactiveRange(low=math.ulp(0.0)),)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether neither a gradient norm nor a reward has been logged."""
        return GRAD_NORM not in history.names and REWARD not in history.names

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value is 0 and there is no number beside it."""
        if not math.isfinite(point.value):
            return None
        beside = point.beside
        absent = history.kind != "rl" and GRAD_NORM in history.names and GRAD_NORM not in beside
        finite = math.isfinite(beside.get(GRAD_NORM, 0.0)) and math.isfinite(beside.get(REWARD, 0.0))
        return point.value == 0 and (absent or not finite)

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """0 and what follows it; at 0 the gradient norm matters."""
        return None if history.last(1)[0] == 0 else [0.0, math.ulp(0.0)]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the step and what stands beside the loss."""
        if not math.isfinite(point.beside.get(REWARD, 0.0)):
            return f"loss is 0 at step {point.step} and the reward is {point.beside[REWARD]}: a NaN, logged as 0"
        norm = f"is {point.beside[GRAD_NORM]}" if GRAD_NORM in point.beside else "is missing"
        return f"loss is 0 at step {point.step} and the gradient norm {norm}: a NaN, logged as 0"
