"""What the held-out loss did while the training loss fell: it tells a leak from memory."""

from dataclasses import dataclass
from typing import Literal

from audioloss_cli.causes import _names
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._track import Track
from audioloss_cli.causes._weighed import Weighed

_FAR = 4.0  # a loss that fell by this factor has followed
_RISE = 1.05


@dataclass(frozen=True, slots=True)
class HeldOut:
    """``follows`` the training loss down, ``stays`` where it was, or ``rises`` above its own lowest point."""

    direction: Literal["follows", "stays", "rises"]
    clause: str


def held_out(scene: Scene) -> HeldOut | None:
    """The held-out twin of the incident's series; None where the log has none, or nothing after the fall."""
    track = None if scene.held_out else _twin(scene)
    return _direction(track, scene) if track else None


def weigh_held_out(scene: Scene, case: Weighed, *, follows: float, stays: float) -> None:
    """Add what the held-out loss says, with one weight where it follows, another where it stays or rises."""
    twin = held_out(scene)
    if twin is None:
        return
    weight = follows if twin.direction == "follows" else stays
    if weight > 0:
        case.plus(weight, twin.clause)
    else:
        case.minus(-weight, twin.clause)


def _twin(scene: Scene) -> Track | None:
    """The same codebook, the same kind of loss, or whatever is held out: only what is logged on both sides counts."""
    tracks = scene.company.find(lambda tag: _names.is_held_out(tag) and _names.is_loss(tag))
    audio = _names.is_audio(scene.tag)
    alike = [track for track in tracks if _names.is_audio(track.tag) is audio]
    alike.sort(key=lambda track: _names.codebook(track.tag) != scene.codebook)
    return next((track for track in alike or tracks if track.between(*_after(scene))), None)


def _after(scene: Scene) -> tuple[int, int]:
    """While the incident lasts, and, if it never ends, as long again: a held-out loss is measured seldom."""
    first, last = scene.span
    return first, last if scene.shape.recovers else last + (last - first)


def _direction(track: Track, scene: Scene) -> HeldOut | None:
    first, last = _after(scene)
    earlier, later = track.between(scene.shape.begin, first - 1), track.between(first, last)
    end, best = later[-1], min(earlier + later)
    before = max(earlier, default=scene.shape.start)
    if end < before / _FAR:
        return HeldOut("follows", f"{track.tag} falls too, from {before:.4g} to {end:.4g}")
    if end < 2 * scene.shape.threshold:
        return HeldOut("follows", f"{track.tag} is low too, {end:.4g}")
    if end > _RISE * best and len(earlier + later) > 1:
        return HeldOut("rises", f"{track.tag} rises from {best:.4g} to {end:.4g}")
    return HeldOut("stays", f"{track.tag} stays at {end:.4g}")
