"""Audio loss that jumps far above its own usual level.

What: At 3 points in a row the loss exceeds ratio (2) times the usual level of the 1000 steps before, and exceeds it by
6 times the usual distance of neighbouring points. Where the log has less than a point in 3 steps, 2 points will do
that exceed it by twice as much; less than a point in 5 steps, a single one that exceeds it by three times as much.

Why: A batch that the model cannot digest, a learning rate that is too high, a corrupted shard, or optimiser state lost
at a resume. Most spikes heal, but what follows one starts from damaged weights.

Fix: Look at the batches of these steps and at the gradient norm. If spikes come back, clip gradients lower or lower the
learning rate; if this one does not heal, roll back and skip the batches.
"""

from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory

_SPREADS = 6
# Points in a row, that exceed the level by so many times the height, where a point stands for more than so many steps.
_ENOUGH = ((3, 1.0, 0), (2, 2.0, 3), (1, 3.0, 5))


class Rule(LossRule):
    """Above the reference times ``ratio``."""

    type = "spike"
    group = "high-loss"
    numbers_only = True
    kinds = frozenset({"ce", "small"})
    adaptive = True

    def __init__(self, limits: Limits, *, ratio: float = 2.0) -> None:
        self.ratio = ratio
        self.inactive = (InactiveRange(high_share=ratio, alone=False), InactiveRange(high_share=1 + 3 * (ratio - 1)))

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the last points, or this one by far, lie above."""
        if history.reference is None or point.value - point.value != 0:  # not finite
            return None
        height = max((self.ratio - 1) * history.reference, _SPREADS * history.spread)
        if point.value < history.reference + height:
            return False
        recent, stride = history.last(_ENOUGH[0][0]), history.stride
        for count, times, sparse in _ENOUGH:
            if stride > sparse and min(recent[-count:]) >= history.reference + times * height:
                return True
        return False

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether this point is back below half the way."""
        usual = history.reference
        return usual is None or point.value < usual + max((self.ratio - 1) * usual, _SPREADS * history.spread) / 2

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """Where one, two and three points are enough, and where it clears."""
        usual = history.reference or 0.0
        height = max((self.ratio - 1) * usual, _SPREADS * history.spread)
        enough = [times for _, times, sparse in _ENOUGH if history.stride > sparse]
        return [usual + height / 2, usual + height, *(usual + times * height for times in enough)]

    def worse(self, value: float, than: float) -> bool:
        """The higher, the worse."""
        return value > than

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level and how far above it the loss is."""
        usual = history.reference or point.value
        times = point.value / usual if usual else 1.0
        return f"loss {point.value:.4g} at step {point.step} is {times:.3g} times its usual level {usual:.4g}"
