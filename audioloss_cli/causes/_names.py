"""What a series of the run is, as the causes ask it of ``naming``."""

from audioloss_cli.naming import Role, classify
from audioloss_cli.naming.tag_words import is_held_out

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
]


def is_loss(tag: str) -> bool:
    """Tell whether it is a loss, of whatever."""
    return classify(tag).role.is_loss


def is_audio(tag: str) -> bool:
    """Tell whether it is about audio."""
    return classify(tag).role is Role.AUDIO or classify(tag).names_audio


def is_audio_loss(tag: str) -> bool:
    """Tell whether it is the loss of the audio, of all codebooks."""
    return classify(tag).role is Role.AUDIO and classify(tag).codebook is None


def is_text(tag: str) -> bool:
    """Tell whether it is the loss of the text."""
    return classify(tag).role is Role.TEXT


def is_total(tag: str) -> bool:
    """Tell whether it is the loss that is minimised."""
    return classify(tag).role is Role.TRAINING and not classify(tag).part


def is_grad_norm(tag: str) -> bool:
    """Tell whether it is the norm of the gradient."""
    return classify(tag).role is Role.GRAD_NORM


def is_epoch(tag: str) -> bool:
    """Tell whether it counts epochs."""
    return classify(tag).role is Role.EPOCH


def codebook(tag: str) -> int | None:
    """Return the number of the codebook that it is the loss of."""
    return classify(tag).codebook if classify(tag).role.is_loss else None
