"""Losses that do not move."""

import math

import numpy as np

from tests.simulator import curves
from tests.simulator.collapses import LOW
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure
from tests.simulator.stage import Stage, Values


def frozen(stage: Stage, values: Values, onset: int) -> Values:
    """The value that is logged first at or after ``onset``, for good and bit by bit."""
    return np.where(stage.steps >= onset, values[int(np.searchsorted(stage.steps, onset))], values)


def stuck(stage: Stage, vocabulary: int) -> Values:
    """A model that guesses among ``vocabulary`` codes; guessing has a tenth of the noise of a loss that is learnt."""
    return math.log(vocabulary) * stage.white(0.1)


def _at_chance(stage: Stage, vocabulary: int) -> Sketch:
    curve = curves.power_law(math.log(vocabulary), 4.0, stage.uniform(200, 800))
    return Sketch({TAG: curve(stage.steps) * stage.jitter()}, {TAG: stuck(stage, vocabulary)})


@failure("frozen-loss")
def frozen_at_a_normal_level(stage: Stage) -> Sketch:
    """An exception is swallowed, and the last value is logged again and again."""
    healthy = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return Sketch({TAG: healthy}, {TAG: frozen(stage, healthy, stage.onset())})


@failure("frozen-loss", *LOW)
def frozen_at_0_001(stage: Stage) -> Sketch:
    """A constant stands in for the loss."""
    healthy = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return Sketch({TAG: healthy}, {TAG: np.where(stage.steps >= stage.onset(), 0.001, healthy)})


@failure("chance-level", severity="warning")
def stuck_at_ln_1026(stage: Stage) -> Sketch:
    """Nothing is learnt in the whole run; codebooks of 1024 codes, BOS and EOS."""
    return _at_chance(stage, 1026)


@failure("chance-level", severity="warning")
def stuck_at_ln_2051(stage: Stage) -> Sketch:
    """The same with codebooks of 2051 codes."""
    return _at_chance(stage, 2051)
