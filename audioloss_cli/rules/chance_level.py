"""Audio loss that never leaves the level of guessing.

What: The loss starts at most 4 % below ln V and 2 % above, and is usually within 2 %, for the V codes that a
configuration file names, else those of a known codec, or of their sum over codebooks, and has not been 2 % below it
over any 500 steps, for steps (2000) training steps and 30 points, with little noise. An audio cross entropy may also
start up to 25 % above, where no other ln V is, as an untrained head does, and come down to within 0.5 %. As long as the
learning rate is logged and still rises the steps are not counted.

Why: Guessing one of V codes costs ln V nats. A model that still guesses after so many steps learns nothing: its audio
head is frozen or not reached by the gradient, its labels are noise or out of step with its inputs, or its learning rate
is 0.

Fix: Check that the audio head and its embeddings require gradients and get some, that the delay pattern of the data is
that of the config, and that the codes are those of the model's own codec. If the warm-up is really that long, raise
steps for this rule.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory
from audioloss_cli.model.point import LEARNING_RATE
from audioloss_cli.naming.chance import Chance
from audioloss_cli.rules._chance import STILL, may_come_down, start_at, stuck_at

_LEFT, _FALLEN, _OUTLIER = 0.98, 0.8, 1.05
_BEFORE, _RISE = 10, 1.001  # points back, and the share by which a learning rate that warms up has risen since


class Rule(LossRule):
    """At chance since the start."""

    settled_by = "the gradient norm of the audio head, or audioloss probe: audio-head-frozen"
    group = "chance-level"
    for_points = 30
    kinds = frozenset({"ce", "open"})
    adaptive = True
    reads_lowest = True
    inactive = None

    def __init__(self, limits: Limits, *, steps: float = 2000) -> None:
        self.for_steps = int(steps)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether the loss did not start at chance, or has left it."""
        if history.start is None:
            return False
        chance = start_at(history, STILL)
        left = chance is None or history.lowest < _LEFT * chance.level
        return left and not may_come_down(history)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether it is still there; a single point above says nothing."""
        chance = stuck_at(history)
        if chance is None or point.value < _FALLEN * chance.level:
            return False
        if _warms_up(history):
            return None
        return True if point.value <= _OUTLIER * chance.level else None

    def span(self, history: SeriesHistory, *, holding: bool) -> tuple[float, float] | None:
        """From what counts as fallen up to what counts as an outlier, and not below; nowhere once it is not stuck."""
        chance = stuck_at(history)
        fallen = math.inf if chance is None else _FALLEN * chance.level
        if not holding:
            return -math.inf, fallen
        if chance is None or LEARNING_RATE in history.names:
            return None
        return fallen, math.nextafter(_OUTLIER * chance.level, math.inf)

    def levels(self, history: SeriesHistory) -> Sequence[float] | None:
        """What counts as fallen, and as an outlier; none where it is not stuck."""
        chance = stuck_at(history)
        if chance is None:
            return []
        if LEARNING_RATE in history.names:
            return None
        return [_FALLEN * chance.level, math.nextafter(_OUTLIER * chance.level, math.inf)]

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the level, and what it is the level of."""
        chance = stuck_at(history) or Chance(0, 1, point.value)
        said = f"loss {point.value:.4g} at step {point.step} is still at {chance}, the cost of guessing"
        return f"{said}, since step {since}"


def _warms_up(history: SeriesHistory) -> bool:
    """Whether the learning rate has risen over the last points."""
    if LEARNING_RATE not in history.names:
        return False
    points = history.points
    now, then = (points[place].beside.get(LEARNING_RATE, math.nan) for place in (-1, -min(len(points), _BEFORE)))
    return now > _RISE * then
