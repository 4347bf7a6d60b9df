"""Healthy cross entropies of one audio stream."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import CHANCE, TAG
from tests.simulator.family import Sketch, healthy
from tests.simulator.stage import Stage, Values


@healthy
def pretraining(stage: Stage) -> Sketch:
    """From chance along a power law."""
    return Sketch({TAG: curves.pretraining(stage)(stage.steps) * stage.jitter()})


@healthy
def fine_tune(stage: Stage) -> Sketch:
    """From 4.8 to 4.2."""
    return Sketch({TAG: curves.fine_tune(stage)(stage.steps) * stage.jitter()})


@healthy
def plateau(stage: Stage) -> Sketch:
    """The same level all along, with noise that wanders."""
    return Sketch({TAG: curves.plateau(stage)(stage.steps) * stage.autocorrelated(200)})


@healthy
def noisy_batches(stage: Stage) -> Sketch:
    """Small batches: heavy tails, and one point in 400 at 2 to 3 times the level."""
    outliers = stage.rng.random(len(stage.steps)) < 1 / 400
    factors = np.where(outliers, stage.rng.uniform(2, 3, len(stage.steps)), stage.heavy_tailed())
    return Sketch({TAG: curves.any_healthy(stage)(stage.steps) * factors})


@healthy
def cosine_restarts(stage: Stage) -> Sketch:
    """The learning rate goes back up four times; each time the loss rises by 4 to 10 % and comes back."""
    since = stage.steps % (stage.last // 4)
    bump = 1 + stage.uniform(0.04, 0.10) * np.exp(-since / stage.uniform(100, 300)) * (stage.steps > since)
    return Sketch({TAG: curves.fine_tune(stage)(stage.steps) * bump * stage.jitter()})


@healthy
def warmup_hump(stage: Stage) -> Sketch:
    """The loss rises by 15 to 40 % while the learning rate warms up, and comes back."""
    way = stage.steps / stage.uniform(100, 300)
    hump = 1 + stage.uniform(0.15, 0.40) * way * np.exp(1 - way)
    return Sketch({TAG: curves.fine_tune(stage)(stage.steps) * hump * stage.jitter()})


@healthy
def curriculum(stage: Stage) -> Sketch:
    """Harder data (+30 %) or easier data (-25 %) in the middle third of the run."""
    other = stage.rng.choice([1.30, 0.75])
    level = np.where((stage.steps < 0.35 * stage.last) | (stage.steps >= 0.70 * stage.last), 1.0, other)
    return Sketch({TAG: curves.any_healthy(stage)(stage.steps) * level * stage.jitter()})


@healthy
def memorising(stage: Stage) -> Sketch:
    """Many epochs over little data: at each boundary the loss drops by 10 to 25 %, and hardly moves in between."""
    epoch = stage.steps * int(stage.rng.integers(6, 11)) / stage.last
    drops = np.cumprod(np.r_[1.0, stage.rng.uniform(0.75, 0.90, 12)])
    within = 1 - 0.02 * (epoch % 1)
    loss = stage.uniform(4.0, 5.0) * drops[epoch.astype(int)] * within * stage.jitter()
    return Sketch({TAG: loss, "epoch": epoch})


@healthy
def chance_warmup(stage: Stage) -> Sketch:
    """Nothing is learnt for 300 to 600 steps, and guessing has little noise; then it goes down."""
    start = stage.uniform(300, 600)
    curve = curves.power_law(CHANCE, stage.uniform(3.5, 4.5), stage.uniform(300, 900))
    learning = curve(np.maximum(stage.steps - start, 0)) * stage.jitter()
    return Sketch({TAG: np.where(stage.steps < start, CHANCE * _quiet(stage), learning)})


@healthy
def fast_learner(stage: Stage) -> Sketch:
    """As a text model does: from 10.8 to 3 within 1000 to 2000 steps."""
    curve = 3 + 7.8 * np.exp(-stage.steps / stage.uniform(250, 450))
    return Sketch({"train/loss": curve * stage.jitter()})


def _quiet(stage: Stage) -> Values:
    """Of a model that guesses: a tenth of the noise."""
    return stage.white(0.1)
