"""A constant is returned in place of the loss.

What: The reported audio loss does not depend on what is fed in, or what is logged is far from what the logits give.

Why: An exception or a NaN is swallowed and a number like 0.0 or 0.001 takes its place.

Fix: Let it raise: remove the except clause or the nan_to_num around the loss, and mend what it hides.
"""

from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 90
CODES = ("constant-loss",)
ALSO = ("constant-log",)
CONFIRMED_BY = "constant-loss"

_ROUNDED = 0.001  # below it a log of four decimals repeats itself


def weigh(scene: Scene) -> Weighed | None:
    """One number, again and again: whatever raised or was NaN has been replaced.

    Zero variance; exactly zero has likelier reasons.
    """
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
