"""The model knows this data by heart.

What: The next code is predicted far better than audio allows, with labels that are diverse and rightly aligned.

Why: Few samples were seen many times. The loss on the training data falls towards nothing while the held-out loss
rises.

Fix: Compare with --held-out. More data, fewer epochs, early stopping on the held-out loss.
"""

from audioloss_cli.causes._epochs import epoch_at
from audioloss_cli.causes._falls import weigh_fall
from audioloss_cli.causes._held_out import weigh_held_out
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 130
CODES = ("memorised",)
CONFIRMED_BY = "memorised"

_BY_STEPS = ((50, 0.0), (300, 0.15), (1000, 0.3))
_SEVERAL_EPOCHS = 3


def weigh(scene: Scene) -> Weighed | None:
    """Learnt by heart: a gradual fall over several epochs, in training alone.

    What is learnt by heart has been seen more than once, and helps nowhere else.
    """
    shape, case = scene.shape, Weighed()
    learnt = shape.fell and not (shape.from_the_start or shape.cliff or shape.mostly_zero)
    if not learnt or scene.held_out or shape.constant is not None:
        return None
    weigh_fall(scene, case, _BY_STEPS, slow=0.45, unknown=0.2)
    _weigh_epoch(scene, case)
    weigh_held_out(scene, case, follows=-0.6, stays=0.4)
    return case


def _weigh_epoch(scene: Scene, case: Weighed) -> None:
    epoch = epoch_at(scene)
    if epoch is not None and epoch < 1:
        case.minus(0.5, f"low at epoch {epoch:.3g}, before any sample was seen twice")
    elif epoch is not None and epoch >= _SEVERAL_EPOCHS:
        case.plus(0.15, f"low only after {epoch:.3g} epochs")
