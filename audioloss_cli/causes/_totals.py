"""How the losses of one run add up."""

from audioloss_cli.causes import _names
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._track import common
from audioloss_cli.model.median import median

_SAME = 1e-3
_HEARD = 0.05  # of the text loss; an audio loss that is less may be missed in a total that is rounded
_STEADY = 0.05
_FEWEST = 5
_MOST = 0.9


def total_is_text(scene: Scene) -> str | None:
    """Says so where the total is the text loss alone; None where it is more than that, empty where nobody can tell."""
    text, total, audio = scene.alike(_names.is_text), scene.alike(_names.is_total), scene.alike(_names.is_audio_loss)
    if text is None or total is None or audio is None:
        return ""
    rows = [row for row in common(scene.span[1], text, total, audio) if abs(row[2]) > _HEARD * abs(row[0])]
    if len(rows) < _FEWEST:
        return ""
    same = sum(abs(whole - part) <= _SAME * heard for part, whole, heard in rows)
    if same < _MOST * len(rows):
        return None
    return f"{total.tag} is {text.tag} at {same} of {len(rows)} points, while {audio.tag} is {rows[-1][2]:.4g}"


def codebook_ratio(scene: Scene) -> tuple[float, str] | None:
    """The ratio of the audio loss to the mean over the codebooks, if that is constant and not 1, and a clause."""
    books = list(scene.codebooks.values())
    if len(books) < 2 or not _names.is_audio_loss(scene.tag):  # noqa: PLR2004  # one is no mean
        return None
    rows = common(scene.track.steps[-1], scene.track, *books)
    ratios = [row[0] * len(books) / whole for row in rows if (whole := sum(row[1:])) > 0]
    if len(ratios) < _FEWEST:
        return None
    middle = median(ratios)
    steady = sum(abs(ratio - middle) <= _STEADY * middle for ratio in ratios) >= _MOST * len(ratios)
    if not steady or abs(middle - 1) <= _STEADY:
        return None
    return middle, f"{scene.tag} is {middle:.4g} times the mean of {len(books)} codebooks at {len(ratios)} points"
