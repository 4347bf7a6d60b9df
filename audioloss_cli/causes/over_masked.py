"""Too many audio labels are masked.

What: Only a small part of the labels counts, of all codebooks or of one, or only EOS and BOS do; or the loss of one
codebook is near zero while the others are not.

Why: What is left can be predicted without listening: the loss falls below 0.01 within about 50 steps.

Fix: Keep every real code and one EOS a codebook: a fraction of (T + 1) / (T + 9) of the cells with the delay pattern
of 8 codebooks, (T + 1) / (T + 2) without. Mask by position, before special ids are added.
"""

from audioloss_cli.causes._codebooks import low_codebooks
from audioloss_cli.causes._falls import late_clause, low_start_clause, starts_late, weigh_fall, weigh_plateau
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 50
CODES = ("low-valid-fraction", "few-distinct-labels")
ALSO = ("codebook-collapse",)
CONFIRMED_BY = "low-valid-fraction"

_BY_STEPS = ((20, 0.55), (50, 0.5), (100, 0.35), (300, 0.2))
_SOON = 100


def weigh(scene: Scene) -> Weighed | None:
    """Few labels left: below 0.01 within about 50 steps, or from one batch to the next; or in one codebook alone.

    To predict EOS is learnt at once; batches that hold nothing else come and go.
    """
    shape, case = scene.shape, Weighed()
    _weigh_codebooks(scene, case)
    if not shape.fell:
        return case if case.evidence else None
    if shape.mostly_zero or shape.constant is not None:
        return None
    if shape.from_the_start:
        return case.plus(0.2, late_clause(scene)) if starts_late(scene) else case.plus(0.35, low_start_clause(scene))
    weigh_fall(scene, case, _BY_STEPS, slow=0.0, unknown=0.25)
    if shape.cliff and shape.recovers:
        case.plus(0.1, f"comes back at step {scene.incident.resolved_step:,}, as other batches come")
    elif not shape.cliff:
        _weigh_begin(scene, case)
    return case


def _weigh_codebooks(scene: Scene, case: Weighed) -> None:
    """One codebook alone is a mask that takes the wrong axis."""
    low, known = low_codebooks(scene), len(scene.codebook_levels)
    if 0 < len(low) <= known / 2:
        which = f"codebook {low[0]} is low" if len(low) == 1 else f"{len(low)} codebooks are low"
        case.plus(0.5, f"{which} and {known - len(low)} are not")


def _weigh_begin(scene: Scene, case: Weighed) -> None:
    shape = scene.shape
    if scene.in_steps and shape.first_step - shape.begin <= _SOON:
        case.plus(0.05, f"low by step {shape.first_step:,} of the run")
    else:
        weigh_plateau(scene, case, 0.1)
