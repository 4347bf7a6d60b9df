"""The name of a series as words: whatever the separators and capitals, ``train/AudioLoss_1`` is train audio loss 1."""

import re
from functools import cache

_HELD_OUT = re.compile(r"\b(?:eval|evaluation|val|valid|validation|test|dev|holdout)\b")


@cache
def words(name: str) -> str:
    """The lower-case words of a name, joined with spaces: ``AudioCELoss3`` and ``audio/ce_loss_3`` are the same."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    parts = re.findall(r"[a-z]+|\d+", split.lower())
    return " ".join(re.sub(r"^([a-z]{3,})(loss(?:es)?)$", r"\1 \2", part) for part in parts)


def is_held_out(name: str) -> bool:
    """Whether the name is that of an evaluation series."""
    return _HELD_OUT.search(words(name)) is not None
