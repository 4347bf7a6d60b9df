"""The audio codes are not what the model was made for.

What: Ids outside the codebooks or that are no integers, another number of codebooks or ids, labels that belong to other
codes, or codes that carry next to no information.

Why: The codes come from another codec, from silence, or from special ids that were added twice. Ids that are too
large alias into the next codebook without an error.

Fix: Encode the audio again with the codec of the model, at its sampling rate, and decode a sample to listen to it.
Add BOS and EOS once.
"""

from audioloss_cli.causes._codebooks import stuck_clause, stuck_codebooks
from audioloss_cli.causes._falls import late_clause, low_start_clause, starts_late
from audioloss_cli.causes._levels import weigh_flat
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 20
CODES = ("labels-of-other-audio", "id-out-of-range", "wrong-shape", "poor-codes", "dominant-label")
ALSO = ("wrong-dtype", "wrong-logits-shape", "config-mismatch", "dead-codes")
CONFIRMED_BY = "poor-codes"


def weigh(scene: Scene) -> Weighed | None:
    """Codes that carry little are predicted from the first step; codes of another codec are never learnt.

    Silence is low from the start, noise is at chance for ever.
    """
    shape, case = scene.shape, Weighed()
    if shape.fell:
        return _low(scene)
    if stuck := stuck_codebooks(scene):
        case.plus(0.3, stuck_clause(scene, stuck))
    elif shape.flat:
        weigh_flat(scene, case, 0.25)
    if scene.incident.code == "codebook-missing" and not shape.earlier:
        case.plus(0.4, "a codebook was never logged, as with codes of another codec")
    return case if case.evidence else None


def _low(scene: Scene) -> Weighed | None:
    shape = scene.shape
    if not shape.from_the_start or shape.mostly_zero or shape.constant is not None:
        return None
    case = Weighed()
    return case.plus(0.25, late_clause(scene)) if starts_late(scene) else case.plus(0.55, low_start_clause(scene))
