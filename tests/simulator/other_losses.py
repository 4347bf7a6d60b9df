"""Losses of other kinds than a cross entropy over codes, and what goes wrong with them."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import CHANCE, TAG
from tests.simulator.family import Sketch, failure, healthy
from tests.simulator.stage import Stage, Values


def _signal_to_noise(stage: Stage) -> Values:
    """The negative of SI-SNR: from -2 to -15 dB, with noise of about 1 dB."""
    curve = curves.power_law(-2, -15, stage.uniform(300, 900))
    return curve(stage.steps) + stage.rng.normal(0, 10 * stage.noise, len(stage.steps))


@healthy
def si_snr(stage: Stage) -> Sketch:
    """Negative by nature."""
    return Sketch({"train/loss": _signal_to_noise(stage)})


@failure("signed-rise", "divergence", "loss-spike")
def si_snr_is_lost(stage: Stage) -> Sketch:
    """From -15 to +2 for good."""
    loss = _signal_to_noise(stage)
    return Sketch({"train/loss": loss}, {"train/loss": np.where(stage.steps >= stage.onset(), loss + 17, loss)})


@healthy
def recognition(stage: Stage) -> Sketch:
    """CTC of a speech recogniser: from 3 to 0.02 to 0.1 while the word error rate falls."""
    curve = curves.power_law(3.0, 0, stage.last / 60, stage.uniform(0.9, 1.2))
    loss = curve(stage.steps) * stage.jitter()
    return Sketch({"train/loss": loss, "eval/wer": 0.05 + 0.9 * curve(stage.steps) / 3})


@healthy
def preferences(stage: Stage) -> Sketch:
    """DPO: from ln 2 to 0.05 to 0.2 while the margin of the rewards grows."""
    curve = curves.power_law(0.693, stage.uniform(0.04, 0.15), stage.uniform(300, 900))
    margin = 5 * stage.steps / stage.last
    return Sketch({"train/loss": curve(stage.steps) * stage.white(), "train/rewards/margins": margin})


@healthy
def long_and_short(stage: Stage) -> Sketch:
    """Sequences of very different lengths: one point in five lies above twice the median."""
    factors = np.exp(0.8 * stage.rng.standard_normal(len(stage.steps)))
    return Sketch({TAG: curves.pretraining(stage)(stage.steps) * factors / 2})


@failure("back-to-chance", "divergence", "loss-spike")
def back_to_chance(stage: Stage) -> Sketch:
    """All that was learnt is gone from one step to the next; who guesses does so alike for every batch."""
    level = stage.uniform(3.0, 4.2)
    curve = curves.power_law(CHANCE, level, stage.uniform(200, 500))(stage.steps)
    learnt = (CHANCE - curve) / (CHANCE - level)
    loss = curve * stage.jitter() ** (0.1 + 0.9 * learnt)
    chance = CHANCE * stage.white(0.1)
    return Sketch({TAG: loss}, {TAG: np.where(stage.steps >= stage.onset(), chance, loss)})


@failure("non-finite-loss")
def held_out_is_nan(stage: Stage) -> Sketch:
    """The loss of the training is fine, and that of each evaluation NaN."""
    held_out = curves.plateau(stage)(stage.steps) * stage.white()
    healthy = {TAG: curves.plateau(stage)(stage.steps) * stage.white(), "eval/audio_loss": held_out}
    nan = np.where(stage.steps >= stage.onset(), np.nan, held_out)
    return Sketch(healthy, {"eval/audio_loss": nan}, audited=TAG)
