"""The second look at rows that are not finite: exact counts, and what can be said of their finite logits."""

from enum import IntEnum

import torch
from torch import Tensor

from audioloss_cli.probe.measure.statistics.chunks import Rows

# Flags, and flags as numbers, on their way into a sum: bytes a logit.
_EXTRA = 8


class Count(IntEnum):
    """What the planes of [F, R, K] float32 hold, for R rows."""

    FINITE = 0
    NAN = 1
    POSITIVE = 2
    NEGATIVE = 3
    ARGMAX = 4  # as torch.argmax has it: the first NaN, if there is one
    MEAN = 5  # of the finite logits, NaN if there is none
    NORM = 6  # of their distances to it


def inspect(source: Rows) -> Tensor:
    """Planes of [7, R, K] float32 on the CPU, for R rows."""
    logits = source.logits
    found = torch.empty(len(Count), len(source), logits.shape[1], dtype=torch.float32, device=logits.device)
    source.each_chunk(lambda span, values, scratch, _: _inspect(values, scratch, found[:, span]), _EXTRA)
    return found.cpu()


def _inspect(values: Tensor, scratch: Tensor, out: Tensor) -> None:
    torch.sum(torch.isnan(values), -1, dtype=out.dtype, out=out[Count.NAN])
    torch.sum(torch.isposinf(values), -1, dtype=out.dtype, out=out[Count.POSITIVE])
    torch.sum(torch.isneginf(values), -1, dtype=out.dtype, out=out[Count.NEGATIVE])
    out[Count.ARGMAX] = torch.argmax(values, -1)
    finite = torch.isfinite(values)
    torch.sum(finite, -1, dtype=out.dtype, out=out[Count.FINITE])
    torch.where(finite, values, torch.zeros((), dtype=values.dtype, device=values.device), out=scratch)
    torch.div(scratch.sum(-1), out[Count.FINITE], out=out[Count.MEAN])
    scratch.sub_(out[Count.MEAN].unsqueeze(-1)).mul_(finite)
    torch.linalg.vector_norm(scratch, dim=-1, out=out[Count.NORM])


def first_broken(source: Rows, found: Tensor) -> tuple[int, int, int] | None:
    """Row, codebook and id of the first NaN or +Infinity, where ``inspect`` found any."""
    broken = (found[Count.NAN] + found[Count.POSITIVE] > 0).nonzero()
    if not len(broken):
        return None
    row, codebook = broken[0].tolist()
    place = row if source.picked is None else source.picked[row]
    cell = source.logits[place, codebook].float().cpu()
    return row, codebook, int((torch.isnan(cell) | torch.isposinf(cell)).nonzero()[0])
