"""The name of a series as words: whatever the separators and capitals, ``train/AudioLoss_1`` is train audio loss 1."""

import re
from functools import lru_cache

LONGEST_NAME = 400  # characters that are looked at: work on a name is linear in its length, and bounded
_HELD_OUT = re.compile(r"\b(?:eval|evaluation|val|valid|validation|test|dev|holdout|heldout)\b")
_ON_DATA = re.compile(rf"{_HELD_OUT.pattern}|\b(?:train|training)\b")
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z]+|\d+")
_GLUED = re.compile(r"^([a-z]{3,})(loss(?:es)?)$")


@lru_cache(maxsize=1 << 14)
def words(name: str) -> str:
    """Return the lower-case words of a name, joined with spaces: ``AudioCELoss3`` is audio ce loss 3.

    Of a name that is longer than 400 characters the first and the last 200 count.
    """
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME // 2]} {name[-LONGEST_NAME // 2 :]}"
    parts = _WORD.findall(_NEW_WORD.sub(" ", name).lower())
    return " ".join(_GLUED.sub(r"\1 \2", part) for part in parts)


def is_held_out(name: str) -> bool:
    """Tell whether the name is that of an evaluation series."""
    return _HELD_OUT.search(words(name)) is not None


def without_its_data(name: str) -> str:
    """Return the words of a name but for those that say on which data: the same for a loss and its held-out twin."""
    return " ".join(_ON_DATA.sub(" ", words(name)).split())
