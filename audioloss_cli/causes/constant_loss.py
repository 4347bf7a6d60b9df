"""One number, again and again: whatever raised or was NaN has been replaced."""

from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

CONFIRMED_BY = "constant-loss"

_ROUNDED = 0.001  # below it a log of four decimals repeats itself


def weigh(scene: Scene) -> Weighed | None:
    """Zero variance; exactly zero has likelier reasons."""
    shape, case = scene.shape, Weighed()
    value = shape.constant
    if value is None:
        return None
    clause = f"{value:.6g} at all {shape.figures.number:,} points from step {shape.first_step:,} on"
    if value == 0:
        return case.plus(0.3, clause)
    case.plus(0.9, clause)
    if value < _ROUNDED and value == round(value, 4):
        case.minus(0.6, "the log may round to four decimals, and then small losses repeat")
    return case
