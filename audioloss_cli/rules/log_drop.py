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

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory
from audioloss_cli.rules._levels import recent_medians

_CLEARS = 0.5
_LARGE = 100  # warning thresholds, 1 nat: what was usually above it is not small by nature
_DENSE_STRIDE, _WIDTH, _IN_A_ROW = 2, 9, 3


class Rule(LossRule):
    """Below the reference divided by ``ratio``."""

    group = "low-loss"
    numbers_only = True
    kinds = frozenset({"ce", "small"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 4.0) -> None:
        self.ratio = ratio
        self._large = _LARGE * limits.threshold
        self.inactive = (InactiveRange(low_share=1 / ratio, alone=False),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the value, and the last points, lie below."""
        if history.reference is None or point.value - point.value != 0:  # not finite
            return None
        level = history.reference / self.ratio
        if point.value >= level or (history.kind == "small" and history.reference < self._large):
            return False
        if history.stride > _DENSE_STRIDE:
            return max(history.last(2)) < level
        if max(history.last(_WIDTH + _IN_A_ROW - 1)) < level:  # so are all medians of them
            return len(history.points) >= _WIDTH + _IN_A_ROW - 1
        medians = recent_medians(history, _WIDTH, _IN_A_ROW)
        return len(medians) == _IN_A_ROW and max(medians) < level

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the last points are back."""
        medians = recent_medians(history, _WIDTH if history.stride <= _DENSE_STRIDE else 3, 1)
        return history.reference is None or not medians or medians[-1] >= _CLEARS * history.reference

    def memory(self, history: SeriesHistory) -> int:
        """All that its medians look at."""
        return _WIDTH + _IN_A_ROW - 1 if history.kind == "ce" else super().memory(history)

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """Where it holds and where it clears."""
        usual = history.reference or 0.0
        return [usual / self.ratio, _CLEARS * usual]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level and how far below it the loss is."""
        usual = history.reference or 0.0
        return (
            f"loss {point.value:.4g} at step {point.step} is below 1/{self.ratio:g} of its usual level "
            f"{usual:.4g} over the 1000 steps before"
        )
