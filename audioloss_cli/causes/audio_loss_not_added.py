"""The audio loss is not part of the total.

What: The loss that the model returns does not change with the audio labels, or its backward pass leaves the audio
parameters without a gradient.

Why: The audio loss is computed and logged, but the optimiser minimises the text loss alone, or the audio loss was
detached.

Fix: Return text_loss + audio_loss from the forward, without detach() or .item() on either.
"""

from audioloss_cli.causes._codebooks import stuck_codebooks
from audioloss_cli.causes._levels import weigh_flat, weigh_text
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._totals import total_is_text
from audioloss_cli.causes._weighed import Weighed

ORDER = 110
CODES = ("no-audio-gradient",)
ALSO = ("audio-loss-not-in-total",)
CONFIRMED_BY = "no-audio-gradient"


def weigh(scene: Scene) -> Weighed | None:
    """An audio loss that is logged and not minimised: the total is the text loss, and the audio loss stays flat.

    The total says it; for want of one, a text loss that falls beside a flat audio loss hints at it.
    """
    case, same = Weighed(), total_is_text(scene)
    if same:
        case.plus(0.9, same)
    if scene.shape.flat and not stuck_codebooks(scene):
        weigh_flat(scene, case, 0.3)
        weigh_text(scene, case, 0.15)
        if same is None:
            case.minus(0.25, "the total is more than the text loss")
    return case if case.evidence else None
