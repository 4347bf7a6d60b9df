"""Losses that are exactly zero, for good or now and then."""

import numpy as np

from tests.simulator import curves
from tests.simulator.collapses import LOW
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure
from tests.simulator.stage import Stage


def _zero(stage: Stage, onset: int, share: float = 1.0) -> Sketch:
    """Zero from ``onset`` on, at this share of the points."""
    healthy = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    hit = (stage.steps >= onset) & (stage.rng.random(len(healthy)) < share)
    return Sketch({TAG: healthy}, {TAG: np.where(hit, 0.0, healthy)})


@failure("zero-loss", "frozen-loss", *LOW)
def zero_from_a_step_on(stage: Stage) -> Sketch:
    """The loss branch never runs again."""
    return _zero(stage, stage.onset())


@failure("zero-loss", "frozen-loss", *LOW)
def zero_from_the_start(stage: Stage) -> Sketch:
    """The loss branch never ran."""
    return _zero(stage, 0)


@failure("intermittent-zeros", "zero-loss", *LOW)
def zeros_at_10_percent(stage: Stage) -> Sketch:
    """Every tenth batch is masked as a whole."""
    return _zero(stage, stage.onset(), 0.1)


@failure("intermittent-zeros", "zero-loss", *LOW)
def zeros_at_30_percent(stage: Stage) -> Sketch:
    """Three batches of ten."""
    return _zero(stage, stage.onset(), 0.3)


@failure("intermittent-zeros", "zero-loss", *LOW)
def zeros_at_60_percent(stage: Stage) -> Sketch:
    """Most batches: the median is zero, and yet no window is low throughout."""
    return _zero(stage, stage.onset(), 0.6)
