"""A batch as a dict of its own tensors, whatever class a collator put it in."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.batch import as_tensor, entries


def as_batch(value: Any, place: str) -> dict[str, Any]:
    """Entries by name of whatever ``entries`` knows; nothing is copied: ``dataclasses.asdict`` would copy every tensor.

    Raises:
        UnreadableError: it has no names; ``place`` says where it was found.
    """
    found = entries(value)
    if found is None:
        raise UnreadableError(
            f"{place}: found a {type(value).__name__} where a batch must be; make it a dict of tensors"
        )
    if not all(isinstance(name, str) for name in found):
        raise UnreadableError(
            f"{place}: the keys of a batch must be names, such as 'input_ids'; make it a dict of them"
        )
    return dict(found)


def is_batch(value: Any) -> bool:
    """Whether ``as_batch`` knows a way."""
    return entries(value) is not None


def owned(value: Any) -> Any:
    """Tensors in dicts, lists and tuples, and arrays as tensors, copied, so that no later write reaches them."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        found = as_tensor(value)
        return value.copy() if found is value else found
    if isinstance(value, Mapping):
        return {name: owned(item) for name, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(owned, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(owned, value))
    return value
