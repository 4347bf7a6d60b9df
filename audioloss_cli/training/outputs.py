"""What the outputs of a model hold under a name, whatever they are; what cannot be read is said, and left alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from audioloss_cli.monitor.scalars import as_loss
from audioloss_cli.training.slots import CODEBOOKS, TOGETHER

Get = Callable[[str], Any]


def getter(outputs: Any) -> Get:
    """Name -> what the outputs hold under it, None for nothing; a plain function, for it is called at every step.

    A tuple is that of a model that returns no mapping: its loss comes first, as transformers has it.
    """
    if isinstance(outputs, Mapping):  # ModelOutput of transformers is one
        return outputs.get
    if type(outputs) is tuple:
        outputs = {"loss": outputs[0]} if outputs and isinstance(outputs[0], Tensor) else {}
        return outputs.get  # type: ignore[no-any-return]
    return lambda name: getattr(outputs, name, None)


def first(get: Get, names: tuple[str, ...]) -> tuple[str, Any]:
    """The first of the names under which there is something, and what that is; None for nothing."""
    for name in names:
        found = get(name)
        if found is not None:
            return name, found
    return "", None


def read_scalar(get: Get, names: tuple[str, ...], odd: list[str]) -> Any:
    """A loss that is not reduced, one for each token, is none that can be watched.

    Args:
        get: see ``getter``.
        names: those it may have.
        odd: what cannot be read is added here, in words.
    """
    for name in names:
        found = get(name)
        if found is not None:
            if _is_scalar(found):
                return found
            if not isinstance(found, Tensor):
                odd.append(f"{name} must be one number, not {_kind(found)}")
            return None
    return None


def read_codebooks(get: Get, names: tuple[str, ...], odd: list[str]) -> dict[str, Any]:
    """Of a tensor [K], a list or a mapping of K scalars, in its order; see ``read_scalar``."""
    name, books = first(get, names)
    if books is None:
        return {}
    if isinstance(books, Tensor) and books.ndim == 1 and len(books) and not books.is_complex():
        if not books.is_cpu:
            return {TOGETHER: books.detach()[: len(CODEBOOKS)]}
        return dict(zip(CODEBOOKS, books.tolist(), strict=False))
    each = _each(books)
    found = {slot: value for slot, value in zip(CODEBOOKS, each, strict=False) if _is_scalar(value)}
    if len(found) < min(len(each), len(CODEBOOKS)) or not each:
        odd.append(f"{name} must be one number for each codebook, not {_kind(books)}")
    return found


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
