"""How the codebooks of one run stand to each other during an incident."""

from audioloss_cli.causes._chance import chance
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.model.median import median

_FEWEST = 2
_LOW = 0.05  # of the middle codebook


def weigh_all_low(scene: Scene, case: Weighed, weight: float) -> None:
    """A cause that spares no codebook: all of them are low, or else it is another."""
    levels, low = scene.codebook_levels, low_codebooks(scene)
    if len(levels) >= _FEWEST and len(low) == len(levels):
        case.plus(weight, f"all {len(levels)} codebooks are low")
    elif len(levels) >= _FEWEST and low:
        case.minus(2 * weight, f"only {len(low)} of {len(levels)} codebooks are low")


def low_codebooks(scene: Scene) -> list[int]:
    """Those whose loss is near the threshold, or far below the middle one."""
    levels = scene.codebook_levels
    bound = max(2 * scene.shape.threshold, _LOW * median(levels.values())) if levels else 0.0
    return [number for number, level in levels.items() if level < bound]


def stuck_codebooks(scene: Scene) -> list[int]:
    """Those at chance, while others have left it."""
    levels = scene.codebook_levels
    stuck = [number for number, level in levels.items() if chance(level)]
    left = [number for number, level in levels.items() if level < min((levels[each] for each in stuck), default=0.0)]
    if not (scene.shape.flat or scene.incident.code == "codebook-apart"):
        return []
    return stuck if set(left) - set(stuck) else []


def stuck_clause(scene: Scene, stuck: list[int]) -> str:
    """Which are at chance, and where the others are."""
    levels = scene.codebook_levels
    others = median(level for number, level in levels.items() if number not in stuck)
    names = f"codebook {stuck[0]}" if len(stuck) == 1 else f"{len(stuck)} of {len(levels)} codebooks"
    return f"{names} at chance ({median(levels[each] for each in stuck):.4g}), the others at {others:.4g}"
