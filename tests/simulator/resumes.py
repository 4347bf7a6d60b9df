"""Runs that were resumed from their last checkpoint: some steps stand twice."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure, healthy
from tests.simulator.stage import Stage, Steps, Values

_BACK = (0, 1, 10, 40)  # points that stand twice


def _resumed(stage: Stage, factor: float) -> Sketch:
    """Resumed once, in the middle; from there on the loss is ``factor`` times what it was."""
    place = int(np.searchsorted(stage.steps, stage.onset()))
    again = place - int(stage.rng.choice(_BACK))
    order = np.r_[0:place, again : len(stage.steps)]
    values = _noisy(stage, curves.any_healthy(stage)(stage.steps)[order])
    failed = np.where(np.arange(len(order)) >= place, values * factor, values)
    return Sketch({TAG: values}, {TAG: failed} if factor != 1 else {}, steps=stage.steps[order])


def _noisy(stage: Stage, values: Values) -> Values:
    """Noise of its own at each point: a resumed run sees the same steps with other batches."""
    return np.asarray(values * np.exp(stage.noise * stage.rng.standard_normal(len(values))))


@healthy
def resumed_several_times(stage: Stage) -> Sketch:
    """Three times, each time some points back: the loss goes on where it was."""
    curve, count = curves.any_healthy(stage)(stage.steps), len(stage.steps)
    ends = sorted(int(share * count) for share in stage.rng.uniform(0.3, 0.9, 3))
    starts = [0, *(end - int(stage.rng.choice(_BACK)) for end in ends)]
    order = np.concatenate([np.arange(start, end) for start, end in zip(starts, [*ends, count], strict=True)])
    return Sketch({TAG: _noisy(stage, curve[order])}, steps=stage.steps[order])


@healthy
def launched_again(stage: Stage) -> Sketch:
    """The run begins anew, twice: what was usual before says nothing."""
    third = len(stage.steps) // 3
    curve = curves.power_law(curves.CHANCE, stage.uniform(3.3, 4.3), stage.uniform(20, 60) * stage.cadence)
    steps: Steps = np.tile(stage.steps[:third], 3)
    return Sketch({TAG: _noisy(stage, curve(steps))}, steps=steps)


@failure("log-drop", "loss-scale", severity="warning")
def resumed_far_lower(stage: Stage) -> Sketch:
    """Other data or other labels: a tenth of what it was."""
    return _resumed(stage, 0.1)


@failure("divergence", "loss-spike")
def resumed_higher(stage: Stage) -> Sketch:
    """Weights or optimiser were not restored."""
    return _resumed(stage, stage.uniform(1.8, 2.2))


@failure("divergence", "loss-spike")
def summed_after_a_resume(stage: Stage) -> Sketch:
    """The loss is a sum over accumulation steps from there on."""
    return _resumed(stage, float(stage.rng.choice([4, 8])))
