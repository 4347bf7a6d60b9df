"""Healthy runs that log several losses."""

import numpy as np

from tests.simulator import curves
from tests.simulator.curves import CHANCE, CODEBOOKS, TAG
from tests.simulator.family import Sketch, healthy
from tests.simulator.stage import Stage, Values


def codebook_tag(index: int) -> str:
    """Of the first codebook the index is 0."""
    return f"train/codebook_{index}_loss"


def codebook_losses(stage: Stage) -> dict[str, Values]:
    """From chance to 2.5 nats (first codebook) to 6.4 (last): fine codebooks are nearer to noise.

    Half of the variance is the batch, which all codebooks share; the other half is their own.
    """
    half, batch = stage.uniform(200, 800), stage.white(0.7)
    ends = np.linspace(2.5, 6.4, CODEBOOKS) + stage.rng.normal(0, 0.1, CODEBOOKS)
    return {
        codebook_tag(index): curves.power_law(CHANCE, float(end), half)(stage.steps) * batch * stage.white(0.7)
        for index, end in enumerate(ends)
    }


def text_audio_total(stage: Stage) -> dict[str, Values]:
    """The losses of both modalities, and their sum."""
    text = curves.power_law(stage.uniform(2.0, 2.5), 1.5, stage.uniform(300, 900))(stage.steps) * stage.jitter()
    audio = curves.fine_tune(stage)(stage.steps) * stage.jitter()
    return {TAG: audio, "train/text_loss": text, "train/loss": text + audio}


@healthy
def each_codebook(stage: Stage) -> Sketch:
    """Eight codebooks, each under its own tag."""
    return Sketch(codebook_losses(stage))


@healthy
def text_and_audio(stage: Stage) -> Sketch:
    """Text loss, audio loss and the total of both."""
    return Sketch(text_audio_total(stage))
