"""Losses that are no numbers, or were none before they were logged."""

import numpy as np

from audioloss_cli.model import MISSING
from tests.simulator import curves
from tests.simulator.collapses import LOW
from tests.simulator.curves import TAG
from tests.simulator.family import Sketch, failure
from tests.simulator.stage import Stage, Values


def _replaced(stage: Stage, value: float, duration: float = np.inf) -> Sketch:
    onset = stage.onset()
    healthy = curves.any_healthy(stage)(stage.steps) * stage.jitter()
    hit = (stage.steps >= onset) & (stage.steps < onset + duration)
    return Sketch({TAG: healthy}, {TAG: np.where(hit, value, healthy)})


def _zero_beside(stage: Stage, norm: float | None) -> Sketch:
    """Loss 0 from a step on beside a gradient norm (None: it is not logged), in 4 decimals as HF Trainer logs."""
    hit = stage.steps >= stage.onset()
    loss = np.round(curves.any_healthy(stage)(stage.steps) * stage.jitter(), 4)
    healthy: dict[str, Values] = {"train/loss": loss}
    failed: dict[str, Values] = {"train/loss": np.where(hit, 0.0, loss)}
    if norm is not None:
        healthy["grad_norm"] = np.exp(stage.rng.normal(0, 0.3, len(loss)))
        failed["grad_norm"] = np.where(hit, norm, healthy["grad_norm"])
    return Sketch(healthy, failed)


@failure("non-finite-loss")
def nan_for_good(stage: Stage) -> Sketch:
    """NaN until the end."""
    return _replaced(stage, np.nan)


@failure("non-finite-loss")
def nan_burst(stage: Stage) -> Sketch:
    """NaN for 60 steps; a sparse log may miss it."""
    return _replaced(stage, np.nan, 60)


@failure("missing-loss")
def null_for_good(stage: Stage) -> Sketch:
    """The log has a null in every row until the end."""
    return _replaced(stage, MISSING)


@failure("masked-nan", "zero-loss", *LOW)
def nan_masked_as_zero(stage: Stage) -> Sketch:
    """A NaN filter logs 0 for the loss; the gradient norm gives it away."""
    return _zero_beside(stage, np.nan)


@failure("zero-loss", "frozen-loss", *LOW)
def zero_loss_and_gradient(stage: Stage) -> Sketch:
    """All labels are masked: loss and gradient are 0."""
    return _zero_beside(stage, 0.0)


@failure("zero-loss", "frozen-loss", *LOW)
def zero_without_gradient_norm(stage: Stage) -> Sketch:
    """The same from a trainer that logs no gradient norm."""
    return _zero_beside(stage, None)
