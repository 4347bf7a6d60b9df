"""Healthy losses that are no cross entropy of one stream, or are logged in another way."""

import math

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import CODEBOOKS, TAG
from tests.simulator.family import Sketch, healthy
from tests.simulator.stage import Stage


@healthy
def small_scale(stage: Stage) -> Sketch:
    """A mel or flow-matching distance: from 0.05 to 0.002 to 0.008, evenly over the run."""
    way = stage.steps / stage.last
    loss = 0.05 ** (1 - way) * stage.uniform(0.002, 0.008) ** way
    return Sketch({"train/loss": loss * stage.jitter()})


@healthy
def distillation(stage: Stage) -> Sketch:
    """A KL divergence to a teacher: from 0.3 to 0.45 to 0.006 to 0.02, fast at first."""
    start, end = stage.uniform(0.30, 0.45), stage.uniform(0.006, 0.020)
    power = math.log(start / end) / math.log(21)
    curve = curves.power_law(start, 0, stage.last / 20, power)
    return Sketch({"train/audio_distill_loss": curve(stage.steps) * stage.jitter()})


@healthy
def policy_loss(stage: Stage) -> Sketch:
    """Reinforcement learning: around 0 on both sides, exactly 0 where all rewards of a group agree; 4 decimals."""
    points = len(stage.steps)
    loss = stage.rng.normal(0, 0.002 + stage.noise / 10, points)
    loss[stage.rng.random(points) < 0.1] = 0
    way = stage.steps / stage.last
    reward = 0.2 + 0.6 * way + stage.rng.normal(0, 0.05, points)
    return Sketch({"train/loss": np.round(loss, 4) + 0.0, "train/reward": reward, "train/kl": 0.08 * way**0.5})


@healthy
def sum_of_codebooks(stage: Stage) -> Sketch:
    """The sum over 8 codebooks instead of the mean: from 55.4 to about 30."""
    curve = curves.pretraining(stage)
    return Sketch({TAG: CODEBOOKS * curve(stage.steps) * stage.jitter()})


@healthy
def rounded_with_amp(stage: Stage) -> Sketch:
    """As HF Trainer logs: 4 decimals, and a gradient norm that is NaN while the loss scale of float16 settles."""
    loss = np.round(curves.any_healthy(stage)(stage.steps) * stage.jitter(), 4)
    norm = stage.uniform(0.5, 2.0) * np.exp(stage.rng.normal(0, 0.3, len(loss)))
    norm[stage.rng.random(len(loss)) < 0.004] = np.nan
    norm[:2] = np.nan
    return Sketch({"train/loss": loss, "grad_norm": norm, "epoch": 3 * stage.steps / stage.last})
