"""Which cells of a segment are learnt from, and which are padding; a private module is no plugin."""

import torch
from torch import Tensor


def first_and_last(valid: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
    """Of each cell, the rows of the first and the last label that counts in its segment and codebook.

    Args:
        valid: [N, K] bool.
        segments: [N] int64.

    Returns:
        Two of [N, K] int64; N and -1 where none counts.
    """
    count, groups = len(valid), _numbered(segments)
    rows = torch.arange(count, device="cpu")[:, None].expand_as(valid)
    first = torch.full((count + 1, valid.shape[1]), count, device="cpu").scatter_reduce(
        0, groups[:, None].expand_as(valid), torch.where(valid, rows, count), "amin"
    )
    last = torch.full_like(first, -1).scatter_reduce(
        0, groups[:, None].expand_as(valid), torch.where(valid, rows, -1), "amax"
    )
    return first[groups], last[groups]


def learnt(valid: Tensor, segments: Tensor) -> Tensor:
    """[N, K] bool: cells from the first to the last label that counts in their segment and codebook."""
    first, last = first_and_last(valid, segments)
    rows = torch.arange(len(valid), device="cpu")[:, None]
    return (rows >= first) & (rows <= last)


def asked(codes: Tensor, valid: Tensor, segments: Tensor) -> Tensor:
    """[N, K] bool: cells that labels should count for, once the first in the segment does.

    What lies before the first label is a prompt, of each codebook its own: with a delay pattern, they begin up to K
    rows apart. What lies behind the last, and is one and the same id down to the end of the segment, is padding. The
    padding of a codebook without a label goes by the others.
    """
    first, last = first_and_last(valid, segments)
    begin = torch.minimum(first, first.amin(1, keepdim=True) + valid.shape[1])
    end = torch.where(last < 0, last.amax(1, keepdim=True), last)
    rows = torch.arange(len(valid), device="cpu")[:, None]
    return (rows >= begin) & ~(_constant(codes, rows > end, segments) & (rows > end))


def _constant(codes: Tensor, tail: Tensor, segments: Tensor) -> Tensor:
    """[N, K] bool: whether all cells of the tail of this segment and codebook hold the same id."""
    groups = _numbered(segments)[:, None].expand_as(codes)
    most, least = torch.iinfo(torch.int64).max, torch.iinfo(torch.int64).min
    start = torch.full((len(codes) + 1, codes.shape[1]), most, device="cpu")
    low = start.scatter_reduce(0, groups, torch.where(tail, codes, most), "amin")
    high = torch.full_like(start, least).scatter_reduce(0, groups, torch.where(tail, codes, least), "amax")
    return (low == high).gather(0, groups)


def _numbered(segments: Tensor) -> Tensor:
    """From 0, whatever they were."""
    found: Tensor = segments.unique(return_inverse=True)[1]
    return found
