"""Labels, ready for the gather, and which of them count."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

IGNORED, COUNTS, OUT_OF_RANGE = 0, 1, 2


class Labels(NamedTuple):
    """For O label offsets.

    Attributes:
        indices: [N, K, O] int64, safe to gather.
        states: [O, N, K] uint8: ignored, counts, out of range.
    """

    indices: Tensor
    states: Tensor


def read_labels(
    targets: Sequence[Tensor], shape: tuple[int, int, int], ignore_index: int, device: torch.device
) -> Labels:
    """Of targets [N, K], for logits of shape (N, K, V)."""
    ids = torch.empty(len(targets), *shape[:2], dtype=torch.int64, device=device)
    for target, place in zip(targets, ids, strict=True):
        place.copy_(target)
    states = torch.where((ids >= 0) & (ids < shape[2]), COUNTS, OUT_OF_RANGE)
    states = states.masked_fill_(ids == ignore_index, IGNORED).to(torch.uint8)
    return Labels(ids.clamp_(0, shape[2] - 1).permute(1, 2, 0).contiguous(), states)
