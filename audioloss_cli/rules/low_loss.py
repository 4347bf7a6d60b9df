"""Audio loss below the warning threshold.

What: One logged value is strictly below threshold (0.01 by default, in nats per codebook).

Why: It is the last stop before the critical threshold. A batch of silence or of one repeated code can cause a single
low value; a collapse passes through here on its way down.

Fix: Look at the next points: if they stay low, treat it as critical. Compare with the held-out loss, and check the
share of labels that differ from -100 in the batches since the first low step.
"""

from audioloss_cli.model import Limits, Point, SeriesHistory
from audioloss_cli.rules._below import Below
from audioloss_cli.rules._open import open_question


class Rule(Below):
    """Below ``threshold``."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.threshold)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the value, its step and the limit."""
        said = f"loss {point.value:.4g} at step {point.step} is below the warning threshold {self.threshold:g}"
        return said + open_question(history)
