"""Audio loss far below its own usual level.

What: The median of the last 9 points lies below the usual level of the 1000 steps before, divided by ratio (4), at 3
points in a row. Where the log has less than a point in 2 steps, 2 points in a row below that will do. The usual level
is a median, and it is frozen while something is wrong. It is over when the median of the last points is back above half
the usual level. A loss that is taken for small by nature must usually have been above 1 nat before.

Why: A real audio language model does not win a factor of 4 within 1000 steps. A leak or a trivial task does, and is
seen here long before it is below 0.01, or though it never gets there: it may settle at 0.02 or leak down to 0.15.

Fix: Compare the held-out loss: if it falls as well, labels leak; if it stays, the training data is being memorised.
Probe a checkpoint from before and one from after the drop: audioloss probe measures the cross entropy at label offsets
0, 1 and 2, and the share of valid labels.
"""

from collections.abc import Sequence

from audioloss_cli.model import Limits, LossRule, Past, Point, Quiet
from audioloss_cli.rules._levels import recent_medians

_CLEARS = 0.5
_LARGE = 100  # warning thresholds, 1 nat: what was usually above it is not small by nature
_DENSE_STRIDE, _WIDTH, _IN_A_ROW = 2, 9, 3


class Rule(LossRule):
    """Below the reference divided by ``ratio``."""

    type = "log_drop"
    group = "low-loss"
    numbers_only = True
    kinds = frozenset({"ce", "small"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 4.0) -> None:
        self.ratio = ratio
        self._large = _LARGE * limits.threshold
        self.quiet = (Quiet(low_share=1 / ratio, alone=False),)

    def holds(self, point: Point, past: Past) -> bool | None:
        """Whether the value, and the last points, lie below."""
        if past.reference is None or point.value - point.value != 0:  # not finite
            return None
        level = past.reference / self.ratio
        if point.value >= level or (past.kind == "small" and past.reference < self._large):
            return False
        if past.stride > _DENSE_STRIDE:
            return max(past.last(2)) < level
        if max(past.last(_WIDTH + _IN_A_ROW - 1)) < level:  # so are all medians of them
            return len(past.points) >= _WIDTH + _IN_A_ROW - 1
        medians = recent_medians(past, _WIDTH, _IN_A_ROW)
        return len(medians) == _IN_A_ROW and max(medians) < level

    def clears(self, point: Point, past: Past) -> bool:
        """Whether the last points are back."""
        medians = recent_medians(past, _WIDTH if past.stride <= _DENSE_STRIDE else 3, 1)
        return past.reference is None or not medians or medians[-1] >= _CLEARS * past.reference

    def levels(self, past: Past) -> Sequence[float]:
        """Where it holds and where it clears."""
        usual = past.reference or 0.0
        return [usual / self.ratio, _CLEARS * usual]

    def explain(self, point: Point, past: Past, since: int, points: int) -> str:
        """Name the usual level and how far below it the loss is."""
        usual = past.reference or 0.0
        return (
            f"loss {point.value:.4g} at step {point.step} is below 1/{self.ratio:g} of its usual level "
            f"{usual:.4g} over the 1000 steps before"
        )
