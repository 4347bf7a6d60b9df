"""The losses in outputs whose places are known, as numbers: what ``read_losses`` finds there, for less."""

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
    """
    if places.codebooks:
        return _by_codebook(places, loss, outputs, threshold)
    if places.audio:
        return _with_others(places, loss, outputs, [])
    own = outputs.get("loss")
    if (loss is not None and loss is not own) or not isinstance(batch, (dict, Mapping)):
        return (own if loss is None else loss), None
    if places.text_labels and batch.get(places.text_labels) is not None:
        return _LONG_WAY
    return (own if places.summed == 1 else _number(own) / places.summed), None


def _by_codebook(places: Places, loss: Any, outputs: Any, threshold: float) -> tuple[Any, Parts | None]:
    """All of them in one copy."""
    each = outputs[places.codebooks]
    if type(each) is not Tensor or not each.is_cpu or each.ndim != 1:
        return _LONG_WAY
    books = each.tolist()
    if not books or type(books[0]) is not float or not min(books) >= threshold:  # complex numbers have no order
        return _LONG_WAY
    return _with_others(places, loss, outputs, books)


def _with_others(places: Places, loss: Any, outputs: Any, books: list[float]) -> tuple[Any, Parts | None]:
    """The audio loss beside what else there is, all of it finite; a mean is one over all codebooks."""
    value = whole = sum(books)
    audio: Any = outputs[places.audio] if places.audio else None
    if audio is None:
        value /= len(books)
    else:
        value = _number(audio)
        whole += value
    if len(books) > len(CODEBOOKS):
        del books[len(CODEBOOKS) :]
    total, text = outputs.get("loss") if loss is None else loss, None
    if total is audio:
        total = None
    if total is not None:
        total = total.item() if type(total) is Tensor and total.is_cpu and not total.ndim else _number(total)
        whole += total
    if places.text:
        text = _number(outputs[places.text])
        whole += text
    return (value, (books, total, text)) if whole - whole == 0 and type(whole) is not complex else _LONG_WAY


def _number(value: Any) -> float:
    """NaN where it cannot be read at once."""
    if type(value) is Tensor and value.is_cpu and not value.ndim:
        return value.item()
    return value if type(value) is float else float("nan")
