"""All audio labels are masked.

What: Every audio label of the batch, or of many of its samples, is the ignored index.

Why: The loss of no labels is NaN or 0 and its gradient nothing; a trainer that filters NaN logs 0.0.

Fix: Find the code that masks the labels and keep those of the turns that are to be learnt. Set
logging_nan_inf_filter=False, so that the log shows it the next time.
"""

import math

from audioloss_cli.causes._invalid import invalid, weigh_invalid
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.causes._zeros import all_zero, gradient_flows, gradient_gone, some_zero, zero_clause

ORDER = 40
CODES = ("all-masked", "masked-samples")
CONFIRMED_BY = "all-masked"


def weigh(scene: Scene) -> Weighed | None:
    """The mean of no labels: NaN, or 0.0 with a gradient of 0 or NaN where the trainer filters NaN.

    What a loss over no labels leaves in a log.
    """
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
