"""The delay pattern of the data is not that of the model.

What: The codes are delayed and the configuration says that they are not, or the other way round.

Why: The pretrained model predicts codebook k one frame after codebook k - 1. Data without the delay asks it for
something else: it starts from chance, and generation is noise.

Fix: Take use_delay_pattern from the model's configuration in the collator; do not hard-code it.
"""

from audioloss_cli.causes._chance import chance
from audioloss_cli.causes._codebooks import stuck_clause, stuck_codebooks
from audioloss_cli.causes._levels import weigh_flat
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 60
CODES = ("delay-mismatch",)
CONFIRMED_BY = "delay-mismatch"

_MOST = 2 / 3


def weigh(scene: Scene) -> Weighed | None:
    """Codebooks that are asked for the wrong frame: stuck at chance, the later ones rather than the first.

    A loss that starts from chance though the model was trained, and learns little.
    """
    case, stuck = Weighed(), stuck_codebooks(scene)
    later = len(scene.codebook_levels) - 1
    if stuck and 0 not in stuck and len(stuck) >= _MOST * later:
        case.plus(0.6, stuck_clause(scene, stuck))
    elif not stuck and scene.shape.flat and chance(scene.shape.start):
        weigh_flat(scene, case, 0.3)
    return case if case.evidence else None
