"""Whether the codebooks of each segment begin, or end, one column after the other."""

import torch
from torch import Tensor

_WINDOW = 4  # times the codebooks: columns that are looked at first


def delays(codes: Tensor, segments: Tensor, bos: int | None, eos: int | None) -> dict[int, bool]:
    """Segment -> whether its codes are delayed, for those that show it by their BOS, or else by their EOS.

    Args:
        codes: [N, K] int64.
        segments: [N] int64, never falling.
        bos: id that begins a segment; None where there is none.
        eos: id that ends one.
    """
    if codes.shape[1] <= 1 or not len(codes):
        return {}
    numbers, sizes = segments.unique_consecutive(return_counts=True)
    ends = sizes.cumsum(0)
    found = _shown(codes, ends - sizes, sizes, bos)
    unknown = found < 0
    if eos is not None and bool(unknown.any()):
        backwards = _shown(codes.flip(0).flip(1), (len(codes) - ends)[unknown], sizes[unknown], eos)
        found[unknown] = backwards
    patterns = zip(numbers.tolist(), found.tolist(), strict=True)
    return {number: pattern == 1 for number, pattern in patterns if pattern >= 0}


def _shown(codes: Tensor, starts: Tensor, sizes: Tensor, special: int | None) -> Tensor:
    """[S] int64: by the leading special ids of each codebook 1 if they are one more each, 0 if equally many.

    -1 where they show neither.
    """
    if special is None:
        return torch.full_like(starts, -1)
    window = _WINDOW * codes.shape[1]
    lead = _leading(codes, starts, sizes, special, window)
    if bool((lead >= window).any()):  # padded on the left by more than that
        lead = _leading(codes, starts, sizes, special, int(sizes.max()))
    more = lead - lead[:, :1]
    delayed = (more == torch.arange(codes.shape[1], device="cpu")).all(1)
    straight = (more == 0).all(1)
    known = torch.where(delayed, 1, torch.where(straight, 0, -1))
    return torch.where(lead[:, 0] < 1, -1, known)


def _leading(codes: Tensor, starts: Tensor, sizes: Tensor, special: int, window: int) -> Tensor:
    """[S, K] int64: leading special ids among the first ``window`` columns of each segment."""
    steps = torch.arange(window, device="cpu")
    rows = (starts[:, None] + steps).clamp(max=len(codes) - 1)
    flags = (codes[rows] == special) & (steps < sizes[:, None])[:, :, None]
    return flags.long().cumprod(1).sum(1)
