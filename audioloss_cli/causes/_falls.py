"""Falls in words, and what their length says: what is learnt takes steps, what is broken takes one."""

from collections.abc import Sequence

from audioloss_cli.causes._chance import chance
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

_EARLY = 100  # steps
_PLATEAU = 3  # a fall so many times shorter than what came before it did not begin with the run


def weigh_start(scene: Scene, case: Weighed, weight: float) -> None:
    """A start at chance level: nothing was known of the codes, and then all."""
    near = chance(scene.shape.start)
    if near:
        case.plus(weight, f"starts at {scene.shape.start:.4g}, near {near}")


def weigh_fall(
    scene: Scene, case: Weighed, by_steps: Sequence[tuple[int, float]], *, slow: float, unknown: float
) -> None:
    """The length of the fall: the weight of the first limit (in steps) that it is within, ``slow`` beyond them all.

    ``unknown`` is the weight where the log skipped the fall, or counts something else than steps.
    """
    shape = scene.shape
    weight = next((weight for limit, weight in by_steps if shape.fall_steps <= limit), slow)
    if shape.coarse or not scene.in_steps:
        weight = unknown
    if weight > 0:
        case.plus(weight, fall_clause(scene))


def fall_clause(scene: Scene) -> str:
    """How far it falls, and within what."""
    shape = scene.shape
    far = f"below {shape.threshold:g}" if shape.first_value < shape.threshold else f"to {shape.first_value:.4g}"
    if shape.coarse:
        return f"falls {far} between steps {shape.high_step:,} and {shape.first_step:,}, and none between was logged"
    if shape.cliff:
        return cliff_clause(scene)
    return f"falls {far} within {shape.fall_steps:,} {unit(scene)}"


def cliff_clause(scene: Scene) -> str:
    """A drop from one level to another."""
    shape = scene.shape
    where = f"between {unit(scene)} {shape.high_step:,} and {shape.first_step:,}"
    return f"drops from {shape.high:.4g} to {shape.first_value:.4g} {where}"


def unit(scene: Scene) -> str:
    """What the log counts in place of steps."""
    source = scene.item.series.step_source
    return {"step": "steps", "epoch": "epochs", "line": "lines", "ordinal": "points"}[source]


def weigh_plateau(scene: Scene, case: Weighed, weight: float) -> None:
    """A task that is trivial from the first step on is learnt from the first step on."""
    shape = scene.shape
    if shape.high_step is not None and shape.high_step - shape.begin > _PLATEAU * shape.fall_steps:
        case.minus(
            weight, f"it was healthy up to step {shape.high_step:,}, and a fault of the code acts from the first"
        )


def starts_late(scene: Scene) -> bool:
    """Whether the log may have begun after the fall."""
    return scene.shape.begin > _EARLY and scene.in_steps


def late_clause(scene: Scene) -> str:
    """Low from the first point of a log that starts late."""
    return f"{low_start_clause(scene)}, where the log begins, perhaps after a fall"


def low_start_clause(scene: Scene) -> str:
    """Low from the first point."""
    return f"low from the start: {scene.shape.start:.4g} at step {scene.shape.begin:,}"
