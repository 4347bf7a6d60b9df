"""Audio loss below the critical threshold.

What: One logged value is strictly below critical_threshold (0.005 by default, in nats per codebook). Where nothing in
the log tells whether the loss is small by nature, 2 points in a row must also be below a hundredth of its usual level
over the 1000 steps before: what falls so fast was not learnt.

Why: Guessing one of 1026 codes costs ln 1026 = 6.93 nats, and a real audio language model stays in the units for a long
time. Thousandths mean that the task has become trivial (labels not shifted, all but EOS or BOS masked) or that nothing
is left to predict (inputs filtered out, empty logits).

Fix: Stop the run; its checkpoints from here on have learnt nothing. Check on one batch that audio_out_ids and
label_audio_ids reach the model, that audio_logits is not empty (shape [0, 8, 1026]), that enough labels differ from
-100, and that the logits at t are scored against the code at t + 1. If the log holds a sum over codebooks, scan again
with --scale; if a loss this small is legitimate here, lower --threshold and --critical-threshold.
"""

from collections.abc import Sequence

from audioloss_cli.model import Limits, Point, SeriesHistory, Severity
from audioloss_cli.rules._below import Below

_FAR = 100  # times below what is usual: a fall within 1000 steps that no training makes


class Rule(Below):
    """Below ``critical_threshold``."""

    severity = Severity.CRITICAL
    may_be_usual = False

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.critical_threshold)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value is below; of a loss that may be small by nature, whether it fell there at once."""
        if history.kind != "open" or not point.value < self.threshold:
            return super().holds(point, history)
        if history.reference is None:
            return None
        return max(history.last(2)) < min(self.threshold, history.reference / _FAR)

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether this point is above the threshold again."""
        return point.value >= self.threshold

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """The threshold, and a hundredth of what is usual."""
        return [self.threshold, (history.reference or 0.0) / _FAR]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the value, its step and the limit."""
        said = f"loss {point.value:.4g} at step {point.step} is below the critical threshold {self.threshold:g}"
        if history.kind != "open":
            return said
        return f"{said} and a hundredth of its usual level {history.reference or 0:.4g}"
