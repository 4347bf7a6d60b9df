"""Audio loss that keeps dropping to nothing.

What: Within the last 100 points the value fell at least count (3) times from above half its usual level to at most 2 %
of it.

Why: Some batches have nothing to predict: samples without audio labels, segments whose labels are all -100, a worker
that delivers empty audio. The mean over many steps still looks like learning, and no rule that waits for a whole window
of low values ever fires.

Fix: Find the batches of those steps: count the labels that differ from -100 in each sample, and leave out or mend the
samples that have none. Average over valid labels, not over batches.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import Limits, LossRule, Past, Point, Quiet, Severity

_POINTS, _LOW, _NORMAL = 100, 0.02, 0.5


class Rule(LossRule):
    """Several drops to nothing among the last points."""

    type = "critical"
    severity = Severity.CRITICAL
    group = "low-loss"
    numbers_only = True
    specific = 3
    kinds = frozenset({"ce", "small"})
    adaptive = True
    quiet = (Quiet(low_share=_LOW),)

    def __init__(self, limits: Limits, *, count: float = 3) -> None:
        self.count = count

    def holds(self, point: Point, past: Past) -> bool | None:
        """Whether this is one of several drops."""
        if past.reference is None or point.value - point.value != 0:  # not finite
            return None
        low = _LOW * past.reference
        if point.value > low or max(past.last(2)) <= low:  # no drop, or no new one
            return False
        return self._drops(past) >= self.count

    def clears(self, point: Point, past: Past) -> bool:
        """Whether the last points hold fewer of them."""
        return self._drops(past) < self.count

    def levels(self, past: Past) -> Sequence[float]:
        """Of nothing and of normal."""
        usual = past.reference or 0.0
        return [math.nextafter(_LOW * usual, math.inf), _NORMAL * usual]

    def explain(self, point: Point, past: Past, since: int, points: int) -> str:
        """Name how many there were."""
        return (
            f"loss fell {self._drops(past)} times to at most 2 % of its usual level {past.reference or 0:.4g} "
            f"within the last {min(len(past.points), _POINTS)} points, now {point.value:.4g} at step {point.step}"
        )

    def _drops(self, past: Past) -> int:
        """Times that the loss went from normal to nothing."""
        usual, drops, normal = past.reference or 0.0, 0, False
        for value in past.last(_POINTS):
            if value >= _NORMAL * usual:
                normal = True
            elif value <= _LOW * usual:
                drops += normal
                normal = False
        return drops
