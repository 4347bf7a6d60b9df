"""Comparisons of ids, which numpy makes three to four times as fast as torch where they lie on the CPU."""

import numpy as np
import torch
from torch import Tensor


def inside(ids: Tensor, end: int) -> Tensor:
    """Bool of the same shape: whether 0 <= id < ``end``; on the CPU in one comparison, for below 0 is unsigned huge."""
    if _is_plain(ids):
        return torch.from_numpy(ids.numpy().view(np.uint64) < np.uint64(max(end, 0)))
    return (ids >= 0) & (ids < end)


def all_inside(ids: Tensor, end: int) -> bool:
    """Whether every one is; ``ids`` is not empty."""
    if _is_plain(ids):
        return int(ids.numpy().view(np.uint64).max()) < end
    least, most = ids.aminmax()
    return int(least) >= 0 and int(most) < end


def equal(ids: Tensor, value: int) -> Tensor:
    """Bool of the same shape: whether an id is this one."""
    if _is_plain(ids):
        return torch.from_numpy(np.equal(ids.numpy(), value))
    return ids == value


def _is_plain(ids: Tensor) -> bool:
    return type(ids) is Tensor and ids.dtype == torch.int64 and ids.device.type == "cpu" and ids.ndim > 0
