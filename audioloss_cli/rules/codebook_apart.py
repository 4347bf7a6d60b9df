"""One codebook apart from its siblings.

What: The loss of one codebook is below a tenth of the median over all codebooks; or it has not been 2 % below ln V,
where it started, though every other codebook is at least 5 % below; for steps (2000) steps and 30 points.

Why: Codebooks are learnt together: the coarse ones faster, the fine ones slower, none alone. One that has collapsed has
trivial labels; one that still guesses is not fed, has no gradient, or is read from the wrong row of the delay pattern.

Fix: Look at the labels of this codebook alone: their valid share, how many different ones there are, and whether its
row is delayed like the others. audioloss probe measures every codebook by itself.
"""

import math
from collections.abc import Mapping
from typing import Any

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory
from audioloss_cli.model.median import median
from audioloss_cli.rules._chance import STILL, start_at, stuck_at
from audioloss_cli.rules._codebooks import LEAST_CODEBOOKS, codebooks, finite_losses, siblings

_LOW, _STUCK, _LEFT = 0.1, 0.98, 0.95


class Rule(LossRule):
    """Far below the others, or left behind by them."""

    settled_by = "audioloss probe, which measures each codebook"
    group = "codebook-apart"
    numbers_only = True
    for_points = 30
    kinds = frozenset({"ce"})
    adaptive = True
    reads_lowest = True
    inactive = None

    def __init__(self, limits: Limits, *, steps: float = 2000) -> None:
        self.for_steps = int(steps)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether too few codebooks are logged."""
        return len(codebooks(history.names)) < LEAST_CODEBOOKS

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether it is apart; None where too few of the others are numbers."""
        losses = finite_losses(point.beside)
        if not math.isfinite(point.value) or len(losses) < LEAST_CODEBOOKS:
            return None
        # A median is at most the highest, which is found faster.
        low = point.value < _LOW * max(losses) and point.value < _LOW * median(losses)
        return low or self._left_behind(point.value, losses, history)

    @staticmethod
    def _left_behind(value: float, losses: list[float], history: SeriesHistory) -> bool:
        chance = stuck_at(history)
        if chance is None or value < _STUCK * chance.level:
            return False
        return sorted(losses)[-2] <= _LEFT * chance.level

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """The same by the array, without the codebooks that are no numbers: then any point may matter."""
        losses = list(siblings(beside).values())
        highest = losses[0]
        for each in losses[1:]:
            highest = highest * (highest >= each) + each * (highest < each)
        chance = stuck_at(history) or start_at(history, STILL)
        low = ~(values >= _LOW * highest)
        if chance is None or history.lowest < _STUCK * chance.level:
            return low
        return low | (values >= _STUCK * chance.level)

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the loss and the median of all."""
        losses = finite_losses(point.beside)
        usual = median(losses) if losses else math.nan
        return (
            f"loss {point.value:.4g} of this codebook at step {point.step} is apart from the others, whose median is "
            f"{usual:.4g}, since step {since}"
        )
