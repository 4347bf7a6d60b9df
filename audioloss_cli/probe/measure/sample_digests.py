"""A number of 64 bits for each sample, by which equal ones are known again whatever batch they come in.

Two samples are equal if their audio codes and their text are; padding counts for nothing. Of a million different
samples two have the same number with a chance of 3 in 100 million.
"""

import numpy as np
import numpy.typing as npt

from audioloss_cli.probe.measure.samples import Samples

# Odd constants of splitmix64 and of the golden ratio, as int64.
_MIX = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)
_STEP = -0x61C8864680B583EB
_TEXT = 0x2545F4914F6CDD1D


def digests(found: Samples) -> npt.NDArray[np.int64]:
    """[B] int64; the batch must be on the CPU."""
    total = np.zeros(found.count, np.int64)
    if found.codes is not None and found.rows is not None and len(found.codes):
        codes, rows = found.codes.numpy(), found.rows.numpy()
        books = _mixed(np.arange(1, codes.shape[1] + 1) * _STEP) | 1
        starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))  # of the sample that a row is of
        place = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
        each = _mixed(codes @ books + place * _STEP)
        np.add.at(total, rows[starts], np.add.reduceat(each, starts))
    if found.text is not None and found.shown is not None:
        shown = found.shown.numpy()
        each = _mixed(found.text.long().numpy() * _TEXT + shown.cumsum(1) * _STEP)
        total += _mixed((each * shown).sum(1) * _TEXT)
    return total


def _mixed(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each bit of a result depends on every bit of its value; in arithmetic modulo 2^64."""
    values = (values ^ (values >> 30)) * _MIX[0]
    values = (values ^ (values >> 27)) * _MIX[1]
    mixed: npt.NDArray[np.int64] = values ^ (values >> 31)
    return mixed
