"""A batch by its names, whatever class a collator put it in."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


def entries(value: Any) -> Mapping[Any, Any] | None:
    """Entries of a batch by name, nothing copied; None if the object has no names.

    A batch is a mapping (``UserDict`` and ``BatchFeature`` among them), a named tuple, a dataclass, an object with
    ``keys()`` and ``[]`` such as train-higgs-audio's ``ExtendedHiggsAudioBatchInput``, or one with ``to_dict()`` or a
    mapping under ``data``.
    """
    if isinstance(value, Mapping):
        return value
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()  # type: ignore[no-any-return]
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if hasattr(value, field.name)]
        return {name: getattr(value, name) for name in names}
    if value is None or isinstance(value, (Tensor, type, str, bytes, list, tuple)) or hasattr(value, "__array__"):
        return None
    if callable(getattr(value, "keys", None)) and hasattr(value, "__getitem__"):
        return _by_keys(value)
    found = value.to_dict() if callable(getattr(value, "to_dict", None)) else getattr(value, "data", None)
    return found if isinstance(found, Mapping) else None


def _by_keys(value: Any) -> Mapping[Any, Any] | None:
    """None where ``[]`` does not give what ``keys()`` names, as a store on disk might not."""
    try:
        return {name: value[name] for name in value.keys()}  # noqa: SIM118  # it is no mapping
    except (KeyError, TypeError, IndexError, AttributeError):
        return None


def with_tensors(batch: Any) -> dict[str, Any]:
    """A copy in which numpy arrays of numbers are tensors, sharing no memory with them.

    Args:
        batch: see ``entries``.

    Raises:
        TypeError: it has no names.
    """
    found = entries(batch)
    if found is None:
        raise TypeError(f"a batch must map names to tensors, not be a {type(batch).__name__}")
    return {key: as_tensor(value) for key, value in found.items()}


def as_tensor(value: Any) -> Any:
    """A numpy array of numbers as a tensor; everything else, and what torch has no dtype for, as it is."""
    if isinstance(value, Tensor) or getattr(getattr(value, "dtype", None), "kind", "") not in tuple("biuf"):
        return value
    try:
        return torch.tensor(value, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        return value
