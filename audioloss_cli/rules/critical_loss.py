"""Audio loss below the critical threshold.

What: One logged value is strictly below critical_threshold (0.005 by default, in nats per codebook).

Why: Guessing one of 1026 codes costs ln 1026 = 6.93 nats, and a real audio language model stays in the units for a long
time. Thousandths mean that the task has become trivial (labels not shifted, all but EOS or BOS masked) or that nothing
is left to predict (inputs filtered out, empty logits).

Fix: Stop the run; its checkpoints from here on have learnt nothing. Check on one batch that audio_out_ids and
label_audio_ids reach the model, that audio_logits is not empty (shape [0, 8, 1026]), that enough labels differ from
-100, and that the logits at t are scored against the code at t + 1. If the log holds a sum over codebooks, scan again
with --scale; if a loss this small is legitimate here, lower --threshold and --critical-threshold.
"""

from audioloss_cli.model import Limits, Point, SeriesHistory, Severity
from audioloss_cli.rules._below import Below


class Rule(Below):
    """Below ``critical_threshold``."""

    type = "critical"
    severity = Severity.CRITICAL

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.critical_threshold)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the value, its step and the limit."""
        return f"loss {point.value:.4g} at step {point.step} is below the critical threshold {self.threshold:g}"
