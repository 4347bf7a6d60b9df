"""An audio loss that is logged and not minimised: the total is the text loss, and the audio loss stays flat."""

from audioloss_cli.causes._codebooks import stuck_codebooks
from audioloss_cli.causes._levels import weigh_flat, weigh_text
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._totals import total_is_text
from audioloss_cli.causes._weighed import Weighed

CONFIRMED_BY = "no-audio-gradient"


def weigh(scene: Scene) -> Weighed | None:
    """The total says it; for want of one, a text loss that falls beside a flat audio loss hints at it."""
    case, same = Weighed(), total_is_text(scene)
    if same:
        case.plus(0.9, same)
    if scene.shape.flat and not stuck_codebooks(scene):
        weigh_flat(scene, case, 0.3)
        weigh_text(scene, case, 0.15)
        if same is None:
            case.minus(0.25, "the total is more than the text loss")
    return case if case.evidence else None
