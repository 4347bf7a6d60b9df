"""What the monitor and its rules work on: one point of a series, and what was logged beside it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, float] = MappingProxyType({})

#: Names under which other series of the run stand beside a point; codebooks are ``codebook/0``, ``codebook/1``, ...,
#: the own one among them, and ``codebook`` is its number.
GRAD_NORM, EPOCH, TOTAL, TEXT, CODEBOOK, OWN_CODEBOOK = "grad_norm", "epoch", "total", "text", "codebook/", "codebook"


class Point(NamedTuple):
    """One point: training step, loss as logged, Unix seconds (NaN when unknown), other series at the same step."""

    step: int
    value: float
    wall_time: float
    beside: Mapping[str, float] = NOTHING
