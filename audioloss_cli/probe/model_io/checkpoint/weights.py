"""What is wrong with weights at rest: NaN, infinity, nothing but zeros, one constant."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class WeightFault:
    """One fault of one tensor; ``count`` is how many of its values show it."""

    name: str
    kind: Literal["NaN", "infinite", "all zero", "constant"]
    count: int


def weight_faults(tensors: Iterable[tuple[str, Tensor]]) -> list[WeightFault]:
    """Faults of floating tensors, in their order; other dtypes, empty tensors and the meta device are passed over.

    One pass, no copy, and one transfer from each device: ``torch.aminmax`` runs at the speed of memory and gives NaN if
    a value is NaN; only a tensor with a fault is read again, to count. A fresh norm or bias is constant or zero by
    design: which tensor may be so is for the caller to say.
    """
    looked_at = [(name, tensor) for name, tensor in tensors if _has_values(tensor)]
    ends = _ends([tensor for _, tensor in looked_at])
    return [
        fault for (name, tensor), each in zip(looked_at, ends, strict=True) for fault in _faults(name, tensor, *each)
    ]


def _has_values(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.numel() > 0 and not tensor.is_meta


def _known(tensor: Tensor) -> Tensor:
    """``aminmax`` and ``isnan`` know no 8-bit floats."""
    return tensor.to(torch.bfloat16) if tensor.itemsize == 1 else tensor


@torch.no_grad()
def _ends(tensors: list[Tensor]) -> list[tuple[float, float]]:
    """The lowest and the highest value of each, as Python's: their dtypes differ."""
    places: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    pairs = []
    for index, tensor in enumerate(tensors):
        pairs.append(torch.stack(torch.aminmax(_known(tensor))))
        places.setdefault((tensor.device, pairs[index].dtype), []).append(index)
    found = [(0.0, 0.0)] * len(tensors)
    for indices in places.values():
        for index, (low, high) in zip(indices, torch.stack([pairs[each] for each in indices]).tolist(), strict=True):
            found[index] = (low, high)
    return found


@torch.no_grad()
def _faults(name: str, tensor: Tensor, low: float, high: float) -> Iterator[WeightFault]:
    tensor = _known(tensor)
    if low != low:  # noqa: PLR0124  # NaN alone is not itself
        yield WeightFault(name, "NaN", int(tensor.isnan().sum()))
    if low != low or float("inf") in (-low, high):  # noqa: PLR0124  # NaN hides infinity
        infinite = int(tensor.isinf().sum())
        if infinite:
            yield WeightFault(name, "infinite", infinite)
    elif low == high == 0:
        yield WeightFault(name, "all zero", tensor.numel())
    elif low == high and tensor.numel() > 1:
        yield WeightFault(name, "constant", tensor.numel())
