"""The collator masks its samples in place.

What: Collating the same samples a second time gives fewer labels, or the ignored index stands among the inputs.

Why: The dataset keeps its samples; what the collator writes into them stays. The first epoch trains, the second has
no labels left, and the loss falls at the epoch boundary.

Fix: Clone before writing: labels = codes.clone() in the collator. Restart from before the first epoch's end.
"""

from audioloss_cli.causes._epochs import drop, earlier_stairs
from audioloss_cli.causes._falls import cliff_clause
from audioloss_cli.causes._invalid import invalid
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.causes._zeros import some_zero

ORDER = 30
CODES = ("mutated-by-collator", "ignored-index-in-inputs")
CONFIRMED_BY = "mutated-by-collator"


def weigh(scene: Scene) -> Weighed | None:
    """Samples that lose their labels the first time they are collated: a drop, zero or NaN at an epoch boundary.

    The first epoch trains, the second has nothing left to train on.
    """
    shape, case, found = scene.shape, Weighed(), drop(scene)
    sudden = shape.earlier and (invalid(scene) or (shape.fell and (shape.cliff or shape.coarse)))
    if sudden and found is None and shape.fell and shape.cliff and _stays(scene):
        case.plus(0.2, f"{_what(scene)}, and the log holds no epoch to compare with")
    elif sudden and found is not None and found.crossed is not None:
        clause = f"{_what(scene)}, where epoch {found.crossed} ends (epoch {found.healthy:.4g} to {found.bad:.4g})"
        case.plus(0.85 * (1 - found.chance), clause)
        if stairs := earlier_stairs(scene, found):
            case.minus(0.85, stairs)
    elif scene.incident.code == "epoch-drop":
        case.plus(0.6, "drops where an epoch ends")
    return case if case.evidence else None


def _stays(scene: Scene) -> bool:
    """What was overwritten does not come back."""
    return not scene.shape.recovers and not some_zero(scene) and not scene.shape.constant


def _what(scene: Scene) -> str:
    shape = scene.shape
    if invalid(scene):
        return f"a number at step {shape.before_step:,}, none at step {shape.first_step:,}"
    return cliff_clause(scene)
