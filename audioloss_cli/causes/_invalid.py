"""Losses that are no numbers."""

import math

from audioloss_cli.causes import _names
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.model import is_missing

_BLOWN_UP = 2.0


def invalid(scene: Scene) -> bool:
    """Whether the incident is about values that are NaN, infinite or missing."""
    return not math.isfinite(scene.incident.worst_value)


def weigh_invalid(scene: Scene, case: Weighed) -> Weighed:
    """What tells a batch without labels from weights that are destroyed: the text loss, what came before and after."""
    shape = scene.shape
    what = "null" if is_missing(scene.incident.worst_value) else "NaN"
    hit = shape.points - shape.figures.number
    case.plus(0.4, f"{what} at {hit:,} of {shape.points:,} points: the mean of no labels is NaN")
    text = scene.beside(_names.is_text)
    if text and text.between(*scene.span):
        case.plus(0.25, f"{text.tag} is a number there, so that the weights are whole")
    elif text:
        case.minus(0.4, f"{text.tag} is none there either")
    if scene.shape.recovers:
        case.plus(0.15, f"numbers again at step {scene.incident.resolved_step:,}, so that the weights are whole")
    if shape.before > _BLOWN_UP * shape.level:
        case.minus(0.5, f"the loss had risen to {shape.before:.4g} before, as in a divergence")
    return case
