"""What a series of the run is, by the words of its tag."""

import re

from audioloss_cli.naming.tag_words import is_held_out, words

__all__ = [
    "codebook",
    "is_audio",
    "is_audio_loss",
    "is_epoch",
    "is_grad_norm",
    "is_held_out",
    "is_loss",
    "is_text",
    "is_total",
    "looks_at",
    "words",
]

_LOSS = r"\b(?:loss|losses|ce|nll|cross entropy)\b"
_AUDIO = r"\b(?:audio|speech|acoustic|codebooks?|cb|rvq|depth|depformer|backbone)\b"
_NO_LOSS = re.compile(r"\b(?:weight|scale|coef|lambda|lr|norm|acc|accuracy|ppl)\b")
_CODEBOOK = re.compile(r"\b(?:codebooks?|cb|quantizer|rvq|vq|c|q)(?: loss(?:es)?)?(?: \w+)? (\d+)\b|\bloss (\d+)\b")
_TOTAL = re.compile(r"(?:(?:train|training|total|combined|overall|global|batch|step|metrics?|losses) ?)*(?:loss|total)")
_TEXT = re.compile(rf"\b(?:text|llm|language)\b.*{_LOSS}|{_LOSS}.*\b(?:text|llm|language)\b")


def looks_at(tag: str) -> bool:
    """Whether a signature may look at it."""
    return is_loss(tag) or is_total(tag) or is_grad_norm(tag) or is_epoch(tag)


def is_loss(tag: str) -> bool:
    """Whether it is a loss, of whatever."""
    return re.search(_LOSS, words(tag)) is not None and _NO_LOSS.search(words(tag)) is None


def is_audio(tag: str) -> bool:
    """Whether it is about audio."""
    return re.search(_AUDIO, words(tag)) is not None


def is_audio_loss(tag: str) -> bool:
    """Whether it is the loss of the audio, of all codebooks."""
    return is_audio(tag) and is_loss(tag) and codebook(tag) is None


def is_text(tag: str) -> bool:
    """Whether it is the loss of the text."""
    return _TEXT.search(words(tag)) is not None and is_loss(tag) and not is_audio(tag)


def is_total(tag: str) -> bool:
    """Whether it is the loss that is minimised."""
    return _TOTAL.fullmatch(words(tag)) is not None


def is_grad_norm(tag: str) -> bool:
    """Whether it is the norm of the gradient."""
    return re.search(r"\bgrad(?:ient)?s? norm\b", words(tag)) is not None


def is_epoch(tag: str) -> bool:
    """Whether it counts epochs."""
    return re.search(r"\bepochs?$", words(tag)) is not None


def codebook(tag: str) -> int | None:
    """The number of the codebook that it is the loss of."""
    found = _CODEBOOK.search(words(tag)) if is_loss(tag) else None
    return int(found[1] or found[2]) if found else None
