"""The model reads the answer: labels are not shifted.

What: The logits at a position predict the code that is fed in at that position, or see the one they have to predict.

Why: Copying needs no learning: the loss falls smoothly below 0.01, on held-out data too, and generation repeats its
input.

Fix: Hold logits[t] against the code at t + 1, once, within each segment: cross_entropy(logits[:-1], codes[1:]). Start
again from the base; what this run has learnt is to copy.
"""

from audioloss_cli.causes._codebooks import weigh_all_low
from audioloss_cli.causes._falls import late_clause, starts_late, weigh_fall, weigh_plateau, weigh_start
from audioloss_cli.causes._held_out import weigh_held_out
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 70
CODES = ("label-leak", "not-causal")
CONFIRMED_BY = "label-leak"

# A tiny model that is shown its labels is below 0.01 some 60 steps after it began to fall, a large one takes hundreds.
_BY_STEPS = ((20, 0.1), (50, 0.4), (1000, 0.5), (5000, 0.3))


def weigh(scene: Scene) -> Weighed | None:
    """A leak: from chance smoothly to nothing within some hundred steps, in all codebooks, on held-out data too.

    Copying is learnt, and what is learnt shows a slope.
    """
    shape, case = scene.shape, Weighed()
    if not shape.fell or shape.mostly_zero or shape.constant is not None:
        return None
    if shape.from_the_start:
        return case.plus(0.3, late_clause(scene)) if starts_late(scene) else None
    weigh_start(scene, case, 0.1)
    weigh_fall(scene, case, _BY_STEPS, slow=0.1, unknown=0.35)
    if shape.cliff:
        case.minus(0.2, "what is learnt shows a slope")
    weigh_all_low(scene, case, 0.2)
    weigh_held_out(scene, case, follows=0.25, stays=-0.4)
    weigh_plateau(scene, case, 0.05)
    if shape.recovers:
        case.minus(0.15, f"the loss comes back at step {scene.incident.resolved_step:,}, and a leak stays")
    return case
