"""Losses that do not fall, beside a text loss that does."""

from audioloss_cli.causes import _names
from audioloss_cli.causes._chance import chance
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.model.median import median

_FEWEST = 5
_FALLS = 0.9


def weigh_flat(scene: Scene, case: Weighed, weight: float) -> None:
    """A loss that stays where it is; what comes loose by itself, as after a long warm-up, was never stuck."""
    case.plus(weight, flat_clause(scene))
    if scene.incident.resolution == "recovered":
        case.minus(0.3, f"it leaves that level at step {scene.incident.resolved_step:,}")


def flat_clause(scene: Scene) -> str:
    """Where it stays, and whether that is chance."""
    shape = scene.shape
    level = median(shape.values)
    near = f", near {name}" if (name := chance(level)) else ""
    return f"stays at {level:.4g}{near}" + (", where it started" if shape.flat else "")


def weigh_text(scene: Scene, case: Weighed, weight: float) -> None:
    """A text loss that falls meanwhile: the training works, but for the audio."""
    text = scene.beside(_names.is_text)
    values = text.between(scene.shape.begin, scene.span[1]) if text else []
    end = median(values[-_FEWEST:]) if len(values) >= 2 * _FEWEST else float("inf")
    if text and end < _FALLS * values[0]:
        case.plus(weight, f"{text.tag} falls meanwhile, from {values[0]:.4g} to {end:.4g}")
