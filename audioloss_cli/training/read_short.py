"""The losses in outputs whose places are known, as numbers: what ``read_losses`` finds there, for less.

``get_device`` is sooner asked than ``is_cpu``; it is -1 for a tensor on the CPU. One function for each kind of outputs,
for between two steps a call costs as much as what it does.
"""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from audioloss_cli.training.calm import Parts
from audioloss_cli.training.places import Places
from audioloss_cli.training.slots import CODEBOOKS

_LONG_WAY = (None, None)


def read_short(places: Places, loss: Any, batch: Any, outputs: Any, threshold: float) -> tuple[Any, Parts | None]:
    """The audio loss, None for the long way; and the others, where there are several.

    Args:
        places: in outputs of this kind.
        loss: of the loop; None if it gives none.
        batch: what the model was given.
        outputs: of the model.
        threshold: below which no loss of a codebook is calm.

    Raises:
        RuntimeError: a tensor that is no number; for the long way as well.
    """
    if not (places.codebooks or places.audio):
        return _own(places, loss, batch, outputs), None
    books: list[float] = []
    whole = 0.0
    if places.codebooks:
        books, whole = _read_codebooks(outputs[places.codebooks], threshold)
        if not books:
            return _LONG_WAY
    audio: Any = outputs[places.audio] if places.audio else None
    if audio is None:  # the mean is one over all codebooks; without any, the audio loss is gone, for a step or for good
        value = whole / len(books) if books else math.nan
    else:
        value = audio.item() if type(audio) is Tensor and audio.get_device() < 0 else _number(audio)
        whole += value
    if len(books) > len(CODEBOOKS):
        del books[len(CODEBOOKS) :]
    total, text = outputs.get("loss") if loss is None else loss, None
    if total is audio:
        total = None
    if total is not None:
        total = total.item() if type(total) is Tensor and total.get_device() < 0 else _number(total)
        whole += total
    if places.text:
        text = outputs[places.text]
        text = text.item() if type(text) is Tensor and text.get_device() < 0 else _number(text)
        whole += text
    return (value, (books, total, text, None)) if whole - whole == 0 and type(whole) is not complex else _LONG_WAY


def _read_codebooks(each: Any, threshold: float) -> tuple[list[float], float]:
    """Their losses and the sum; no losses for the long way, as where one of them is low."""
    books: Any = each.tolist() if type(each) is Tensor and each.get_device() < 0 else None  # all of them in one copy
    if type(books) is not list or not books or type(books[0]) is not float:
        return [], 0.0  # no list of numbers, or complex ones, which have no order
    whole = 0.0
    for book in books:  # min and sum take three times as long
        if not book >= threshold:
            return [], 0.0
        whole += book
    return books, whole


def _own(places: Places, loss: Any, batch: Any, outputs: Any) -> Any:
    """The loss of the loop, or that of the outputs, which holds no other."""
    own = outputs.get("loss")
    if (loss is not None and loss is not own) or not isinstance(batch, (dict, Mapping)):
        return own if loss is None else loss
    if places.text_labels and batch.get(places.text_labels) is not None:
        return None
    return own if places.summed == 1 else _number(own) / places.summed


def _number(value: Any) -> float:
    """NaN where it cannot be read at once."""
    if type(value) is Tensor and value.get_device() < 0:
        return value.item()
    return value if type(value) is float else float("nan")


def with_norm(parts: Parts | None, grad_norm: Any) -> Parts | None:
    """With the norm of the gradients beside the losses; None for the long way."""
    if type(grad_norm) is Tensor and grad_norm.get_device() < 0 and grad_norm.numel() == 1:
        grad_norm = grad_norm.item()
    if type(grad_norm) is not float or grad_norm - grad_norm != 0:
        return None
    return ([], None, None, grad_norm) if parts is None else (*parts[:3], grad_norm)
