"""A batch from samples that come without a collator of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from audioloss_cli.probe.errors import UnreadableError


def stack(samples: Sequence[Mapping[str, Any]], what: str) -> dict[str, Any]:
    """``torch.utils.data.default_collate`` of each entry; what it cannot stack (text, None, objects) stays a list.

    Lists of numbers become tensors first: default_collate would transpose them.

    Raises:
        UnreadableError: the samples differ in their entries or in the shape of one.
    """
    names = samples[0].keys()
    if any(sample.keys() != names for sample in samples):
        raise UnreadableError(f"--data {what!r}: its samples differ in their entries; {_remedy()}")
    return {name: _entry(name, [_numbers(sample[name]) for sample in samples], what) for name in names}


def _entry(name: str, values: list[Any], what: str) -> Any:
    if all(value is None for value in values):
        return None
    if all(isinstance(value, Tensor) for value in values):
        shapes = [tuple(value.shape) for value in values]
        if len(set(shapes)) > 1:
            told = " and ".join(str(list(shape)) for shape in dict.fromkeys(shapes))
            raise UnreadableError(f"--data {what!r}: its samples differ in length ({name!r} is {told}); {_remedy()}")
        return default_collate(values)
    return default_collate(values) if all(isinstance(value, (int, float)) for value in values) else values


def _numbers(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value)
    if not isinstance(value, (list, tuple)):
        return value
    try:
        return torch.tensor(value, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        return value


def _remedy() -> str:
    return "name a factory whose DataLoader has the collator of your training: --data package.module:factory"
