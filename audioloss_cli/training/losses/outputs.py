"""What the outputs of a model hold under a name, whatever they are; what cannot be read is said, and left alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.monitor.scalars import as_loss
from audioloss_cli.training.transport.scalar_layout import CODEBOOKS, TOGETHER

#: Names under which outputs hold each of their losses, in the order in which they are tried.
AUDIO_NAMES = ("audio_loss", "loss_audio", "audio_ce_loss", "speech_loss", "audio_lm_loss")
CODEBOOK_NAMES = (
    *("codebook_losses", "audio_codebook_losses", "audio_losses", "codebook_loss", "per_codebook_losses"),
    "codebook_loss_list",
)
TEXT_NAMES = ("llm_loss", "text_loss", "loss_text")
#: Losses of parts of the codebooks, which together are the audio loss: all of a tuple must be there.
PARTS = (
    ("backbone_loss", "decoder_loss"),
    ("backbone_loss", "depth_decoder_loss"),
    ("c0_loss", "ac_loss"),
    ("talker_loss", "sub_talker_loss"),
    ("semantic_loss", "acoustic_loss"),
)
_ROLES = {
    name: (role, order)
    for role, names in (("audio", AUDIO_NAMES), ("codebooks", CODEBOOK_NAMES), ("text", TEXT_NAMES), ("own", ("loss",)))
    for order, name in enumerate(names)
}
_PARTS = {name for names in PARTS for name in names}


def number_of(value: Any) -> Any:
    """A number that lies on the CPU, read: for less than any arithmetic with its tensor. All else as it is.

    So is a DTensor, which all ranks must read together.
    """
    if isinstance(value, Tensor) and value.is_cpu and value.numel() == 1 and not value.is_complex():
        return value if hasattr(value, "full_tensor") else value.item()
    return value


def read_scalar(name: str, value: Any, odd: list[str], *, wait: bool = False) -> Any:
    """A loss that is not reduced, one for each token, is none that can be watched.

    Args:
        name: under which it was found.
        value: that was found; None for nothing.
        odd: what cannot be read is added here, in words.
        wait: whether the host may look into it; then the number of one that lies on the CPU is returned.
    """
    if wait and type(value) is Tensor and value.is_cpu:
        try:  # sooner than to ask how many numbers it has
            number = value.item()
        except RuntimeError:
            number = None
        if type(number) is float:
            return number
    if value is None or _is_scalar(value):
        return value
    odd.append(f"{name} must be one number, not {_kind(value)}")
    return None


def read_codebooks(name: str, books: Any, odd: list[str]) -> tuple[dict[str, Any], Any]:
    """Of a tensor [K], a list or a mapping of K scalars, in its order; see ``read_scalar``.

    Returns:
        The first 16 by name, those in a tensor on a device together; and the mean of all K, however many, taken where
        they lie, in float32 at least: in bfloat16 it would take the same few values again and again. None for none.
    """
    if books is None:
        return {}, None
    if isinstance(books, Tensor) and books.dim() == 1 and books.numel() and not books.is_complex():
        if not books.is_cpu:
            books = books.detach()
            return {TOGETHER: books[: len(CODEBOOKS)]}, books.mean(dtype=_wide(books))
        numbers: list[float] = books.tolist()
        by_name: dict[str, Any] = {}
        whole = 0.0
        for place, number in enumerate(numbers):  # ``sum`` makes up for roundings from Python 3.12 on
            whole += number
            if place < len(CODEBOOKS):
                by_name[CODEBOOKS[place]] = number
        return by_name, whole / len(numbers)
    each = _each(books)
    scalars = [value for value in each if _is_scalar(value)]
    if len(scalars) < len(each) or not each:
        odd.append(f"{name} must be one number for each codebook, not {_kind(books)}")
    found = {slot: value for slot, value in zip(CODEBOOKS, each, strict=False) if _is_scalar(value)}
    return found, mean_of(scalars) if scalars else None


def mean_of(scalars: Sequence[Any]) -> Any:
    """On a device if any lies on one; those of a model that is spread over several meet on one of them."""
    far = next((value.device for value in scalars if isinstance(value, Tensor) and not value.is_cpu), None)
    return sum(_summand(value, far) for value in scalars) / len(scalars)


def _summand(value: Any, far: torch.device | None) -> Any:
    if not isinstance(value, Tensor):
        return value
    value = value.detach().reshape(())  # one on the CPU may then be added to those on any device
    return value.to(value.device if value.is_cpu else far, _wide(value), non_blocking=True)


def _wide(value: Tensor) -> torch.dtype:
    return torch.promote_types(value.dtype, torch.float32)


def _each(books: Any) -> Sequence[Any]:
    """Empty for what is no collection of one dimension; of an iterator the model may still need what is in it."""
    if isinstance(books, Mapping):
        return list(books.values())
    if getattr(books, "ndim", 0) == 1 and hasattr(books, "tolist") and not isinstance(books, Tensor):
        return list(books.tolist())  # an array of numpy
    return books if isinstance(books, Sequence) and not isinstance(books, (str, bytes)) else []


def _is_scalar(value: Any) -> bool:
    """None of a tensor is read for this: it may lie on a device."""
    if isinstance(value, Tensor):
        return value.numel() == 1 and not value.is_complex()
    if value is None:
        return False
    try:
        as_loss(value)
    except TypeError:
        return False
    return True


def _kind(value: Any) -> str:
    """In a word or two, without its content."""
    if isinstance(value, (list, tuple)):
        return f"a list of {', '.join(sorted({type(each).__name__ for each in value})) or 'nothing'}"
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + ("" if shape is None else f" of shape {tuple(shape)}")


def held_by(outputs: Any) -> tuple[dict[str, tuple[str, Any]], dict[str, Any]]:
    """Return what outputs hold: by role, with its name; and parts by name.

    Of a mapping (``ModelOutput`` of transformers is one), an object, or a tuple, whose loss comes first.
    """
    if isinstance(outputs, (dict, Mapping)):  # a dict is asked for first, for it is told sooner
        items: Any = outputs.items()
    elif type(outputs) is tuple:
        items = (("loss", outputs[0]),) if outputs and isinstance(outputs[0], Tensor) else ()
    else:
        items = [(name, getattr(outputs, name, None)) for name in (*_ROLES, *_PARTS)]
    found: dict[str, tuple[str, Any]] = {}
    parts: dict[str, Any] = {}
    for name, value in items:
        if value is None:
            continue
        known = _ROLES.get(name)
        if known is not None:
            role, order = known
            if role not in found or order < _ROLES[found[role][0]][1]:
                found[role] = (name, value)
        elif name in _PARTS:
            parts[name] = value
    return found, parts
