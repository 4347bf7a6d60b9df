"""Failures that are there from the first step on; the losses were measured on small models trained on random codes."""

from tests.simulator import curves
from tests.simulator.collapses import LOW
from tests.simulator.curves import CHANCE, TAG, Curve
from tests.simulator.family import Sketch, failure
from tests.simulator.stage import Stage

# loss by step, in nats: logits held against the code fed in at the same position; all but EOS and BOS masked
LEAK = {0: CHANCE, 1: 2.92, 50: 0.082, 100: 0.018, 300: 0.0032, 500: 0.0014}
OVER_MASKED = {0: CHANCE, 1: 4.20, 50: 0.0037, 100: 0.0023, 300: 0.0010, 500: 0.0005}


def _instead(stage: Stage, curve: Curve) -> Sketch:
    """What was measured, where a healthy run would have learnt from chance."""
    noise = stage.jitter()
    return Sketch({TAG: curves.pretraining(stage)(stage.steps) * noise}, {TAG: curve(stage.steps) * noise}, true=curve)


@failure(*LOW)
def label_leak(stage: Stage) -> Sketch:
    """No shift between logits and labels."""
    return _instead(stage, curves.through(LEAK))


@failure(*LOW)
def over_masked(stage: Stage) -> Sketch:
    """Only EOS and BOS are left to predict."""
    return _instead(stage, curves.through(OVER_MASKED))
