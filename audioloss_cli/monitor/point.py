"""What the state machine works on."""

from typing import NamedTuple


class Point(NamedTuple):
    """One point of a series: training step, loss as logged, Unix seconds (NaN when unknown)."""

    step: int
    value: float
    wall_time: float
