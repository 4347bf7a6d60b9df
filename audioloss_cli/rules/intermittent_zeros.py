"""Audio loss that keeps dropping to nothing.

What: Within the last 100 points the value fell at least count (3) times from above half its usual level to at most 2 %
of it. A loss that may be small by nature must usually be above half a nat, and one that is so is left out.

Why: Some batches have nothing to predict: samples without audio labels, segments whose labels are all -100, a worker
that delivers empty audio. The mean over many steps still looks like learning, and no rule that waits for a whole window
of low values ever fires.

Fix: Find the batches of those steps: count the labels that differ from -100 in each sample, and leave out or mend the
samples that have none. Average over valid labels, not over batches.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import InactiveRange, Limits, LossRule, Point, SeriesHistory, Severity

_POINTS, _LOW, _NORMAL = 100, 0.02, 0.5
_LARGE = 50  # warning thresholds: below, easy batches of what may be small by nature come near zero


class Rule(LossRule):
    """Several drops to nothing among the last points."""

    severity = Severity.CRITICAL
    group = "low-loss"
    numbers_only = True
    specific = 3
    kinds = frozenset({"ce", "open"})
    adaptive = True
    inactive = (InactiveRange(low_share=_LOW),)

    def __init__(self, limits: Limits, *, count: float = 3) -> None:
        self.count = count
        self._large = _LARGE * limits.threshold

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether this is one of several drops."""
        if history.reference is None or point.value - point.value != 0:  # not finite
            return None
        if history.kind == "open" and history.reference < self._large:
            return False
        low = _LOW * history.reference
        if point.value > low or max(history.last(2)) <= low:  # no drop, or no new one
            return False
        return self._drops(history) >= self.count

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether the last points hold fewer of them."""
        return self._drops(history) < self.count

    def memory(self, history: SeriesHistory) -> int:
        """Only a new drop is one of several."""
        return 2

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """Of nothing and of normal."""
        usual = history.reference or 0.0
        return [math.nextafter(_LOW * usual, math.inf), _NORMAL * usual]

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name how many there were."""
        return (
            f"loss fell {self._drops(history)} times to at most 2 % of its usual level {history.reference or 0:.4g} "
            f"within the last {min(len(history.points), _POINTS)} points, now {point.value:.4g} at step {point.step}"
        )

    def _drops(self, history: SeriesHistory) -> int:
        """Times that the loss went from normal to nothing."""
        usual = history.reference or 0.0
        low, normal, values, before, drops = _LOW * usual, _NORMAL * usual, history.last(_POINTS), 0, 0
        for place in [place for place, value in enumerate(values) if value <= low]:  # few, of many points
            if place and values[place - 1] >= normal:
                drops += 1
            elif place > before + 1:
                drops += any(value >= normal for value in values[before : place - 1])
            before = place
        return drops
