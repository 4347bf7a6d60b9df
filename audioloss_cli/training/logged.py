"""Which of the numbers that a run logs is the audio loss of its training."""

import re
from collections.abc import Iterable

from audioloss_cli.naming.tag_words import is_held_out, words

_AUDIO = re.compile(r"\b(?:audio|speech)\b.*\bloss\b|\bloss\b.*\b(?:audio|speech)\b")


def audio_name(names: Iterable[str]) -> str:
    """The first of these names that says so, and not of held-out data; empty if none does."""
    return next((name for name in names if _AUDIO.search(words(name)) and not is_held_out(name)), "")
