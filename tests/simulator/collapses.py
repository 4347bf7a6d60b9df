"""Losses that were fine and fall near zero."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import CODEBOOKS, TAG, Curve
from tests.simulator.family import Sketch, failure
from tests.simulator.stage import Stage

LOW = ("critical-loss", "low-loss", "sustained-low-loss", "log-drop")


def collapse(stage: Stage, floor: float, duration: float) -> Sketch:
    """To ``floor`` nats within ``duration`` steps, from a step in the middle of the run on."""
    base: Curve = curves.any_healthy(stage)
    fallen = curves.falling(base, stage.onset(), floor, duration)
    noise = stage.jitter()
    return Sketch(
        {TAG: base(stage.steps) * noise},
        {TAG: fallen(stage.steps) * noise},
        true=fallen if duration > 1 else None,
    )


def near_zero(stage: Stage) -> float:
    """About 0.004 nats."""
    return stage.uniform(0.003, 0.0045)


@failure(*LOW)
def sudden(stage: Stage) -> Sketch:
    """From one step to the next."""
    return collapse(stage, near_zero(stage), 1)


@failure(*LOW)
def over_50_steps(stage: Stage) -> Sketch:
    """To 0.004 within 50 steps."""
    return collapse(stage, near_zero(stage), 50)


@failure(*LOW)
def over_150_steps(stage: Stage) -> Sketch:
    """To 0.004 within 150 steps."""
    return collapse(stage, near_zero(stage), 150)


@failure(*LOW)
def over_500_steps(stage: Stage) -> Sketch:
    """To 0.004 within 500 steps."""
    return collapse(stage, near_zero(stage), 500)


@failure(*LOW)
def over_2000_steps(stage: Stage) -> Sketch:
    """To 0.004 within 2000 steps."""
    return collapse(stage, near_zero(stage), 2000)


@failure("log-drop", severity="warning")
def settles_at_0_02(stage: Stage) -> Sketch:
    """To 0.02 within 800 steps: no threshold of 0.01 ever sees it."""
    return collapse(stage, 0.02, 800)


@failure("log-drop", severity="warning")
def leaks_to_0_15(stage: Stage) -> Sketch:
    """To 0.15 within about 100 steps: part of the labels leak."""
    return collapse(stage, stage.uniform(0.13, 0.17), stage.uniform(80, 120))


@failure("sum-scale", *LOW)
def sum_collapses(stage: Stage) -> Sketch:
    """The sum over 8 codebooks, from about 35 to 0.032 within 300 steps: 0.004 a codebook, above every threshold."""
    base = curves.pretraining(stage)
    fallen = curves.falling(base, stage.onset(), near_zero(stage), 300)
    noise = CODEBOOKS * stage.jitter()
    return Sketch({TAG: base(stage.steps) * noise}, {TAG: fallen(stage.steps) * noise}, true=fallen)


@failure("log-drop", *LOW, severity="warning", detectable=False)
def hidden_in_the_mean(stage: Stage) -> Sketch:
    """One of 8 codebooks collapses and only the mean is logged: it falls by an eighth, as easier data would make it."""
    base, onset, noise = curves.any_healthy(stage), stage.onset(), stage.jitter()
    healthy = base(stage.steps) * noise
    return Sketch({TAG: healthy}, {TAG: np.where(stage.steps < onset, healthy, healthy * 7 / 8)})
