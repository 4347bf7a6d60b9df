"""How large what a file describes may be, beside the bytes that it has: a few bytes can claim terabytes."""

import math
from collections.abc import Iterable
from typing import Any

DEEPEST = 100  # levels of JSON: Python has a limit for recursion
_FREE, _TIMES = 64 << 20, 8
_DIMENSIONS = 64  # more than torch's operators take


def most_bytes(size: int) -> int:
    """How much memory a file of ``size`` bytes may ask for: what shares or repeats its bytes, as expanded masks do."""
    return max(_FREE, _TIMES * size)


def claimed(shape: Iterable[int], itemsize: int) -> int:
    """Bytes of a tensor; an axis of length zero counts as one, for what goes over the others takes its time.

    Raises:
        ValueError: it is the shape of no tensor.
    """
    axes = list(shape)
    if len(axes) > _DIMENSIONS or any(type(axis) is not int or axis < 0 for axis in axes):
        raise ValueError(f"{str(axes)[:60]} is the shape of no tensor")
    return itemsize * math.prod(max(axis, 1) for axis in axes)


def is_deep(found: Any) -> bool:
    """Whether parsed JSON is nested more than 100 levels deep; whoever goes through it does so level by level."""
    level = [found]
    for _ in range(DEEPEST):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, (dict, list))
        ]
    return bool(level)
