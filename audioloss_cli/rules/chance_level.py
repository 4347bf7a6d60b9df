"""Audio loss that never leaves the level of guessing.

What: The loss starts within 2 % of ln V, for the V codes of a known codec, or of their sum over codebooks, and has not
been 2 % below it over any 1000 steps, for steps (2000) training steps and 30 points, with little noise.

Why: Guessing one of V codes costs ln V nats. A model that still guesses after so many steps learns nothing: its audio
head is frozen or not reached by the gradient, its labels are noise or out of step with its inputs, or its learning rate
is 0.

Fix: Check that the audio head and its embeddings require gradients and get some, that the delay pattern of the data is
that of the config, and that the codes are those of the model's own codec. If the warm-up is really that long, raise
steps for this rule.
"""

import math

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory
from audioloss_cli.rules._chance import Chance, chance_near, stuck_at

_LEFT, _FALLEN, _OUTLIER = 0.98, 0.8, 1.05


class Rule(LossRule):
    """At chance since the start."""

    type = "chance_level"
    group = "chance-level"
    for_points = 30
    kinds = frozenset({"ce"})
    adaptive = True
    reads_lowest = True
    inactive = None

    def __init__(self, limits: Limits, *, steps: float = 2000) -> None:
        self.for_steps = int(steps)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether the loss did not start at chance, or has left it."""
        if history.start is None:
            return False
        chance = chance_near(history.start)
        return chance is None or history.lowest < _LEFT * chance.level

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether it is still there; a single point above says nothing."""
        chance = stuck_at(history)
        if chance is None or point.value < _FALLEN * chance.level:
            return False
        return True if point.value <= _OUTLIER * chance.level else None

    def span(self, history: SeriesHistory, *, holding: bool) -> tuple[float, float] | None:
        """From what counts as fallen up to what counts as an outlier; nowhere once it is not stuck."""
        chance = stuck_at(history)
        if chance is None:
            return None if holding else (-math.inf, math.inf)
        return (_FALLEN * chance.level, math.nextafter(_OUTLIER * chance.level, math.inf)) if holding else None

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the level, and what it is the level of."""
        chance = stuck_at(history) or Chance(0, 1, point.value)
        times = f"{chance.codebooks} x " if chance.codebooks > 1 else ""
        return (
            f"loss {point.value:.4g} at step {point.step} is still at {times}ln {chance.vocabulary} = "
            f"{chance.level:.4g}, the cost of guessing, since step {since}"
        )
