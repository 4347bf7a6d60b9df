"""The mean of no labels: NaN, or 0.0 with a gradient of 0 or NaN where the trainer filters NaN."""

import math

from audioloss_cli.causes._invalid import invalid, weigh_invalid
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.causes._zeros import all_zero, gradient_flows, gradient_gone, some_zero, zero_clause

CONFIRMED_BY = "all-masked"


def weigh(scene: Scene) -> Weighed | None:
    """What a loss over no labels leaves in a log."""
    case = Weighed()
    if invalid(scene):
        if math.isinf(scene.incident.worst_value):
            return None
        return weigh_invalid(scene, case)
    if scene.incident.code == "codebook-missing" and scene.shape.earlier:
        case.plus(0.3, "a codebook is logged no more, as one whose loss is NaN")
    if not all_zero(scene) and not some_zero(scene):
        return case if case.evidence else None
    case.plus(0.45 if all_zero(scene) else 0.6, zero_clause(scene))
    if clause := gradient_gone(scene):
        case.plus(0.35, clause)
    if clause := gradient_flows(scene):
        case.minus(0.1, clause)
    return case
