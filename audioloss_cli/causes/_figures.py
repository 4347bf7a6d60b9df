"""What stands at the points of an incident, in figures that do not take more memory for a longer one."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

_MOST, _BLOCK = 1 << 17, 1 << 16  # values


class Figures(NamedTuple):
    """Of the finite values.

    Attributes:
        values: all of them; of very many an even choice.
        number: how many there are.
        zeros: how many of them are 0.
        least, greatest: infinite and minus infinite where there is none.
    """

    values: Sequence[float]
    number: int
    zeros: int
    least: float
    greatest: float


def figures(values: Sequence[float], first: int, last: int) -> Figures:
    """Of the values from index ``first`` up to before ``last``."""
    stride = 1 + (last - first) // _MOST
    chosen, count, zeros, least, greatest = list[float](), 0, 0, math.inf, -math.inf
    for start in range(first, last, _BLOCK):
        finite = _finite(values[start : min(start + _BLOCK, last)])
        chosen += finite[::stride]
        count, zeros = count + len(finite), zeros + finite.count(0)
        least, greatest = min([least, *finite]), max([greatest, *finite])
    return Figures(chosen, count, zeros, least, greatest)


def _finite(block: Any) -> list[float]:
    numbers = block.tolist() if hasattr(block, "tolist") else list(block)
    return numbers if math.isfinite(sum(numbers)) else [value for value in numbers if math.isfinite(value)]
