"""Which of the numbers that a run logs is the audio loss of its training."""

from collections.abc import Iterable

from audioloss_cli.naming import Role, classify


def audio_name(names: Iterable[str]) -> str:
    """Return the first name of an audio loss that is not of held-out data, of all codebooks rather than of one."""
    found = [tag for name in names if (tag := classify(name)).role is Role.AUDIO and not tag.held_out]
    whole = [tag for tag in found if tag.codebook is None]
    return next((tag.name for tag in (*whole, *found)), "")
