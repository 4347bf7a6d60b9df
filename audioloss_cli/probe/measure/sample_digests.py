"""A number of 64 bits for each sample, by which equal ones are known again whatever batch they come in.

Two samples are equal if their audio codes and their text are; padding counts for nothing. Of a million different
samples two have the same number with a chance of 3 in 100 million.
"""

import torch
from torch import Tensor

from audioloss_cli.probe.measure.samples import Samples

# Odd constants of splitmix64 and of the golden ratio, as int64.
_MIX = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)
_STEP = -0x61C8864680B583EB
_TEXT = 0x2545F4914F6CDD1D


def digests(found: Samples) -> Tensor:
    """[B] int64, on the CPU; the batch must be on it as well."""
    total = torch.zeros(found.count, dtype=torch.long, device="cpu")
    if found.codes is not None and found.rows is not None and len(found.codes):
        codes, rows = found.codes, found.rows
        books = _mixed(torch.arange(1, codes.shape[1] + 1, device="cpu") * _STEP) | 1
        starts = torch.searchsorted(rows, rows)  # of the sample that a row is of
        place = torch.arange(len(rows), device="cpu") - starts
        each = _mixed((codes * books).sum(1) + place * _STEP)
        total.index_add_(0, rows, each)
    if found.text is not None and found.shown is not None:
        place = found.shown.long().cumsum(1)
        each = _mixed(found.text.long() * _TEXT + place * _STEP)
        total += _mixed(torch.where(found.shown, each, 0).sum(1) * _TEXT)
    return total


def _mixed(values: Tensor) -> Tensor:
    """Each bit of a result depends on every bit of its value; in arithmetic modulo 2^64."""
    values = (values ^ (values >> 30)) * _MIX[0]
    values = (values ^ (values >> 27)) * _MIX[1]
    return values ^ (values >> 31)
