"""Failures that show in one series beside another: at the boundary of an epoch, or in a total that lacks a part."""

import numpy as np

from tests.simulator import curves
from tests.simulator.collapses import LOW
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure
from tests.simulator.healthy_several import text_audio_total
from tests.simulator.stage import Stage


def _from_the_second_epoch(stage: Stage, factor: float) -> Sketch:
    """A collator masks its cached samples in place, so that the second pass over them has fewer labels or none."""
    epoch = stage.steps / (stage.uniform(0.36, 0.48) * stage.last)
    healthy = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    return Sketch({TAG: healthy, "epoch": epoch}, {TAG: np.where(epoch >= 1, healthy * factor, healthy)})


@failure("epoch-drop", "log-drop", severity="warning")
def drops_with_the_epoch(stage: Stage) -> Sketch:
    """To 0.3 of the level."""
    return _from_the_second_epoch(stage, 0.3)


@failure("epoch-drop", "zero-loss", "frozen-loss", *LOW)
def zero_with_the_epoch(stage: Stage) -> Sketch:
    """To exactly 0."""
    return _from_the_second_epoch(stage, 0.0)


@failure("total-mismatch", severity="warning")
def total_is_text(stage: Stage) -> Sketch:
    """The audio loss is computed and logged, but never added to the total; float32 rounds the two differently."""
    healthy = text_audio_total(stage)
    rounding = 1 + stage.rng.integers(-1, 2, len(stage.steps)) * 1.2e-7
    return Sketch(healthy, {"train/loss": healthy["train/text_loss"] * rounding})
