"""Audio loss that is NaN or infinite.

What: One logged value is NaN, Infinity or -Infinity.

Why: No comparison with a threshold ever notices a NaN (NaN < 0.01 is false), and one optimiser step taken on it
destroys the weights. A mean over labels that are all -100 is NaN too: then the batch was empty rather than the model
broken.

Fix: Roll back to the last checkpoint before this step. Check the batch for audio labels that are all -100, then the
learning rate, gradient clipping and, in float16, the loss scale; train in bfloat16 where the device has it.
"""

import math

from audioloss_cli.model import Point, SeriesHistory, is_missing
from audioloss_cli.rules._invalid import Invalid


class Rule(Invalid):
    """NaN or an infinity; a value that the log leaves out belongs to another rule."""

    def holds(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the value is NaN or infinite, and not missing."""
        return not math.isfinite(point.value) and not is_missing(point.value)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the value as it was logged."""
        return f"loss is {'NaN' if math.isnan(point.value) else point.value} at step {point.step}"
