"""Whether the codebooks of each segment begin, or end, one column after the other."""

import torch
from torch import Tensor


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
    numbers, groups = segments.unique_consecutive(return_inverse=True)
    shown = _shown(codes, groups, len(numbers), bos)
    ends = _shown(codes.flip(0).flip(1), groups.flip(0), len(numbers), eos)
    found = torch.where(shown < 0, ends, shown).tolist()
    return {segment: pattern == 1 for segment, pattern in zip(numbers.tolist(), found, strict=True) if pattern >= 0}


def _shown(codes: Tensor, groups: Tensor, count: int, special: int | None) -> Tensor:
    """[count] int64: by the leading special ids of each codebook 1 if they are one more each, 0 if equally many.

    -1 where they show neither.
    """
    unknown = torch.full((count,), -1, device="cpu")
    if special is None:
        return unknown
    steps = torch.diff(groups, prepend=groups[:1] - 1) != 0
    first = torch.where(steps, torch.arange(len(groups), device="cpu"), 0).cummax(0).values
    inside = torch.arange(len(groups), device="cpu") - first
    lengths = groups.bincount(minlength=count)
    until = torch.where(codes == special, lengths[groups][:, None], inside[:, None])
    lead = torch.full((count, codes.shape[1]), len(codes), device="cpu")
    lead = lead.scatter_reduce(0, groups[:, None].expand_as(codes), until, "amin")
    more = lead - lead[:, :1]
    delayed = (more == torch.arange(codes.shape[1], device="cpu")).all(1)
    straight = (more == 0).all(1)
    return torch.where(lead[:, 0] < 1, unknown, torch.where(delayed, 1, torch.where(straight, 0, unknown)))
