"""Nothing reaches the audio branch: exactly zero, from the start or from one step to the next."""

from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.causes._zeros import all_zero, gradient_flows, gradient_gone, some_zero, zero_clause
from audioloss_cli.model import is_missing

CONFIRMED_BY = "dropped-by-trainer"


def weigh(scene: Scene) -> Weighed | None:
    """No logits, no loss; the text goes on and has a gradient."""
    case = Weighed()
    if all_zero(scene):
        case.plus(0.6 if scene.shape.from_the_start else 0.55, zero_clause(scene))
    elif some_zero(scene):
        return case.plus(0.35, zero_clause(scene))
    elif is_missing(scene.incident.worst_value):
        return case.plus(0.3, f"no number is logged from step {scene.shape.first_step:,} on, as if none were computed")
    else:
        return None
    if clause := gradient_flows(scene):
        case.plus(0.15, clause)
    if clause := gradient_gone(scene):
        case.minus(0.25, clause)
    return case
