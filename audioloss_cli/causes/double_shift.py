"""The labels are shifted twice.

What: The logits at a position predict the code two positions later.

Why: The collator shifts and the model shifts again. The loss looks healthy; generation skips every other frame.

Fix: Shift in one place: give labels that are aligned with the codes to a model that shifts inside.
"""

from audioloss_cli.causes._chance import chance
from audioloss_cli.causes._codebooks import stuck_codebooks
from audioloss_cli.causes._levels import weigh_flat
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 80
CODES = ("double-shift",)
CONFIRMED_BY = "double-shift"


def weigh(scene: Scene) -> Weighed | None:
    """Labels two frames ahead: the loss looks healthy, or stays at chance; the log alone hardly tells.

    Never from a loss that falls too far.
    """
    if not scene.shape.flat or not chance(scene.shape.start) or stuck_codebooks(scene):
        return None
    case = Weighed()
    weigh_flat(scene, case, 0.15)
    return case
