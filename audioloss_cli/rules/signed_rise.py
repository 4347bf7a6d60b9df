"""Loss that may be negative and has risen far above its usual level.

What: Of a loss that is negative by nature (a likelihood, SI-SNR), 3 points in a row exceed the median of the 1000 steps
before by half of its size, and by 8 times the usual distance of points for no reason; or 9 points do by 6 times.

Why: Such a loss has no threshold and no ratio to its level: -15 to +1.5 is a separation that is lost, -4 to +35 a flow
that is broken. What tells is how far it is from its own noise.

Fix: Roll back to the last checkpoint before the rise. Look at the batches of these steps, at the gradient norm and at
the learning rate; of a flow, at the determinants of its invertible layers.
"""

from collections.abc import Sequence

from audioloss_cli.model import LossRule, Point, SeriesHistory, Severity

_SHARE, _CLEARS = 0.5, 0.5
_ENOUGH = ((3, 8), (9, 6))  # points in a row, and by how many times the noise they exceed the level


class Rule(LossRule):
    """Above the middle by its size, and by its noise."""

    severity = Severity.CRITICAL
    settled_by = "a held-out loss after these steps, or the checkpoint from before, trained on"
    group = "high-loss"
    numbers_only = True
    kinds = frozenset({"signed"})
    adaptive = True
    inactive = None

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether the last points lie above."""
        if history.middle is None or point.value - point.value != 0:  # not finite
            return None
        levels = [(count, history.middle + _height(history, times)) for count, times in _ENOUGH]
        return any(point.value >= level and min(history.last(count)) >= level for count, level in levels)

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether this point is back below half the way."""
        return history.middle is None or point.value < history.middle + _CLEARS * _height(history, _ENOUGH[0][1])

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """Where it holds and where it clears."""
        if history.middle is None:
            return None
        heights = [_height(history, times) for _, times in _ENOUGH]
        return [history.middle + height for height in (_CLEARS * heights[0], *heights)]

    def span(self, history: SeriesHistory, *, holding: bool) -> tuple[float, float] | None:
        """Not below; nowhere before there is a usual level."""
        if holding:
            return None
        return (
            -float("inf"),
            float("inf") if history.middle is None else history.middle + _height(history, _ENOUGH[-1][1]),
        )

    def worse(self, value: float, than: float) -> bool:
        """The higher, the worse."""
        return value > than

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the usual level, and the noise."""
        return (
            f"loss {point.value:.4g} at step {point.step} is far above its usual level {history.middle or 0:.4g}, "
            f"about which it has moved by {history.noise:.2g}"
        )


def _height(history: SeriesHistory, times: float) -> float:
    return max(_SHARE * abs(history.middle or 0.0), times * history.noise)
