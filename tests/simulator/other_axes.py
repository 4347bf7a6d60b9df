"""Logs whose step counts something else than updates, or goes back: samples, a resume from the last checkpoint."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure, healthy
from tests.simulator.stage import Stage, Steps, Values

SAMPLES = "Train/Samples/train_loss"


def _in_samples(stage: Stage, fault: Values | float = 1.0) -> Sketch:
    """As DeepSpeed logs: the step is the number of samples, a batch of 64 to 512 an update."""
    batch = int(stage.rng.choice([64, 256, 512]))
    level = curves.pretraining(stage)(stage.steps) * stage.jitter()
    failed = {} if np.all(fault == 1) else {SAMPLES: level * fault}
    return Sketch({SAMPLES: level}, failed, logged_at=stage.steps * batch)


@healthy
def steps_in_samples(stage: Stage) -> Sketch:
    """A warm-up at chance is short in updates, whatever the samples are."""
    return _in_samples(stage)


@failure("log-drop", "early-drop", "low-loss", "sustained-low-loss", "critical-loss")
def collapses_in_samples(stage: Stage) -> Sketch:
    """To a thousandth of the level within 100 updates."""
    way = np.clip((stage.steps - stage.onset()) / 100, 0, 1)
    return _in_samples(stage, 0.001**way)


def _resumed(stage: Stage, factor: float) -> Sketch:
    """The run goes on from its last checkpoint: up to 300 steps stand twice, the second time with other noise."""
    again = int(np.searchsorted(stage.steps, stage.onset()))
    back = max(1, int(stage.uniform(50, 300)) // stage.cadence)
    steps: Steps = np.concatenate([stage.steps[:again], stage.steps[again:] - back * stage.cadence])
    healthy = curves.any_healthy(stage)(steps) * stage.jitter()
    failed = np.where(np.arange(len(steps)) >= again, factor * healthy, healthy)
    return Sketch({TAG: healthy}, {} if factor == 1 else {TAG: failed}, logged_at=steps)


@healthy
def resumes_where_it_was(stage: Stage) -> Sketch:
    """The same level at the same steps."""
    return _resumed(stage, 1.0)


@failure("log-drop", "epoch-drop", "low-loss", "divergence", "loss-spike")
def resumes_at_a_twelfth(stage: Stage) -> Sketch:
    """3.9 before, 0.3 after: what was usual before must not be forgotten."""
    return _resumed(stage, 1 / 12)
