"""One of eight codebooks goes wrong, and each is logged under its own tag."""

import numpy as np

from tests.simulator import curves
from tests.simulator.collapses import LOW, near_zero
from tests.simulator.constants import frozen, stuck
from tests.simulator.family import Sketch, failure
from tests.simulator.healthy_several import codebook_losses, codebook_tag
from tests.simulator.stage import Stage


@failure("codebook-apart", *LOW)
def codebook_collapses(stage: Stage) -> Sketch:
    """To 0.004 within 150 steps."""
    healthy, tag = codebook_losses(stage), codebook_tag(int(stage.rng.integers(8)))
    way = curves.falling(lambda steps: np.ones(len(steps)), stage.onset(), near_zero(stage) / 4.2, 150)
    return Sketch(healthy, {tag: healthy[tag] * way(stage.steps)}, audited=tag)


@failure("codebook-apart", "chance-level", severity="warning")
def codebook_at_chance(stage: Stage) -> Sketch:
    """Its head learns nothing in the whole run; one of the first six, for the last ones are near chance by nature."""
    tag = codebook_tag(int(stage.rng.integers(6)))
    return Sketch(codebook_losses(stage), {tag: stuck(stage, 1026)}, audited=tag)


@failure("frozen-loss", "codebook-apart")
def codebook_frozen(stage: Stage) -> Sketch:
    """The same value from a step on."""
    healthy, tag = codebook_losses(stage), codebook_tag(int(stage.rng.integers(8)))
    return Sketch(healthy, {tag: frozen(stage, healthy[tag], stage.onset())}, audited=tag)


@failure("codebook-missing")
def codebook_missing(stage: Stage) -> Sketch:
    """It is no longer logged from a step on."""
    tag = codebook_tag(int(stage.rng.integers(8)))
    return Sketch(codebook_losses(stage), absent={tag: stage.steps >= stage.onset()}, audited=tag)
