"""Audio loss below the warning threshold for a whole window.

What: Every logged value of a whole window (window_size training steps, 100 by default, whatever the logging cadence) is
strictly below threshold, and the window held at least 2 points.

Why: One low batch is chance, a window of them is not. The model is being trained on a task that it has already solved
without listening, most often by copying unshifted labels or by predicting the few tokens left unmasked.

Fix: Stop the run and compare the loss at label offsets 0 and +1 on one batch: near zero at 0 and above ln V at +1 is a
missing shift. Then check the share of valid labels against (T + 1) / (T + 9) with the delay pattern, (T + 1) / (T + 2)
without, for segments of T frames.
"""

from audioloss_cli.model import Limits, Point, SeriesHistory
from audioloss_cli.rules._below import Below
from audioloss_cli.rules._open import open_question


class Rule(Below):
    """Below ``threshold`` for ``window_size`` steps and at least 2 points."""

    type = "sustained_warning"
    for_points = 2

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.threshold)
        self.for_steps = limits.window_size

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the window and how many points it held."""
        return (
            f"loss stayed below {self.threshold:g} for a whole window of {self.for_steps} steps: "
            f"{points} points from step {since} to {point.step}, now {point.value:.4g}{open_question(history)}"
        )
