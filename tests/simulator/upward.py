"""Losses that rise."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure
from tests.simulator.stage import Stage, Values


def _raised(stage: Stage, factors: Values) -> Sketch:
    healthy = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return Sketch({TAG: healthy}, {TAG: healthy * factors})


def _spike(stage: Stage, factor: float, duration: int) -> Sketch:
    """A sparse log may miss it."""
    since = stage.steps - stage.onset()
    return _raised(stage, np.where((since >= 0) & (since < duration), factor, 1.0))


@failure("loss-spike", severity="warning")
def spike_of_6_for_10_steps(stage: Stage) -> Sketch:
    """Six times the level, then back."""
    return _spike(stage, 6.0, 10)


@failure("loss-spike", severity="warning", least_points=2)
def spike_of_3_for_30_steps(stage: Stage) -> Sketch:
    """Three times the level, then back; a single logged point of it looks like a hard batch."""
    return _spike(stage, 3.0, 30)


@failure("divergence", "loss-spike")
def diverges_to_chance(stage: Stage) -> Sketch:
    """To twice the level, which is chance or above, within 300 steps; it stays there."""
    way = np.clip((stage.steps - stage.onset()) / 300, 0, 1)
    return _raised(stage, 1 + stage.uniform(0.9, 1.2) * way)


@failure("divergence", "loss-spike", "non-finite-loss")
def diverges_to_nan(stage: Stage) -> Sketch:
    """A hundredfold every 100 steps, infinite after 300 and NaN after 310."""
    since = stage.steps - stage.onset()
    sketch = _raised(stage, 100.0 ** (np.clip(since, 0, 300) / 100))
    values = np.where(since > 310, np.nan, np.where(since > 300, np.inf, sketch.failed[TAG]))
    return Sketch(sketch.healthy, {TAG: values})
