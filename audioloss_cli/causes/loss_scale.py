"""The logged loss is on another scale.

What: The reported loss is the recomputed one times a number: of codebooks, of accumulated batches, of text tokens.

Why: Sums, means and divisions are stacked: a healthy 5 nats is logged as 0.6 or as 40, and thresholds judge the wrong
number.

Fix: Log the mean over valid cells and codebooks, undivided; give the ratio to audioloss scan --scale for logs that
exist.
"""

from audioloss_cli.causes._chance import summed_chance
from audioloss_cli.causes._scale_change import scale_change
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._totals import codebook_ratio
from audioloss_cli.causes._weighed import Weighed

ORDER = 120
CODES = ("loss-scale",)
CONFIRMED_BY = "loss-scale"


def weigh(scene: Scene) -> Weighed | None:
    """A loss on another scale: a constant ratio to what it should be, or to what it was.

    Against the mean of the codebooks where they are logged, what was logged before, or chance at the start.
    """
    shape, case, ratio = scene.shape, Weighed(), codebook_ratio(scene)
    if ratio and (ratio[0] < 1 or not shape.fell):  # a sum makes no loss look small
        case.plus(0.9, ratio[1])
    changed = scale_change(scene)
    if changed:
        case.plus(*changed)
    summed = "" if shape.fell or scene.item.role != "audio" else summed_chance(shape.start)
    if summed:
        case.plus(0.4, f"starts at {shape.start:.4g}, near {summed}")
    if scene.incident.code == "sum-scale" and not case.evidence:
        case.plus(0.5, "the loss is a sum where a mean is expected")
    return case if case.evidence else None
