"""Columns of Python's numbers as arrays, and columns with gaps."""

import math
import re
import struct
from array import array
from collections.abc import Sequence
from itertools import compress
from typing import Any

_STRETCH = re.compile(rb"[^\0]+")
_SHORT_STRETCH = 8  # rows on average: below, to take each by itself costs less


def floats(column: Sequence[float]) -> "array[float]":
    """Return float64 numbers, four times as fast as ``array`` takes them from a list.

    Raises:
        TypeError: something in it is no number.
        OverflowError: an integer does not fit.
    """
    packed = array("d")
    try:
        packed.frombytes(struct.pack(f"{len(column)}d", *column))
    except struct.error as error:
        raise TypeError("not all are numbers") from error
    return packed


def integers(column: Sequence[int]) -> "array[int]":
    """Return int64 numbers.

    Raises:
        TypeError: something in it is no integer, or does not fit.
    """
    packed = array("q")
    try:
        packed.frombytes(struct.pack(f"{len(column)}q", *column))
    except struct.error as error:
        raise TypeError("not all are integers of 64 bits") from error
    return packed


def present(column: Sequence[Any], gap: object) -> bytes:
    """Return a mask of the rows that have no gap: a byte a row, 0 where there is one."""
    return bytes([item is not gap for item in column])


class Chosen:
    """Some of the rows.

    Args:
        mask: a byte a row, 0 for those that are not chosen.

    Attributes:
        mask: as it was given.
        any: whether there are some.
    """

    def __init__(self, mask: bytes) -> None:
        self.mask = mask
        self.any = b"\1" in mask
        self._spans = [found.span() for found in _STRETCH.finditer(mask)]

    def of(self, numbers: Any) -> Any:
        """Those of the items of an array or a list that are in these rows."""
        there = numbers[:0]
        if len(self._spans) * _SHORT_STRETCH > len(self.mask):
            there.extend(compress(numbers, self.mask))
        else:
            for start, end in self._spans:
                there.extend(numbers[start:end])
        return there


def numbered(column: Sequence[float], masks: dict[bytes, Chosen]) -> "tuple[array[float], Chosen | None]":
    """Return the numbers of a column in which NaN is a gap, and which of the rows have them; None if all have.

    ``masks`` keeps what was chosen, so that columns with the same gaps share it.
    """
    values = floats(column)
    if not math.isnan(sum(column)):
        return values, None
    mask = bytes([value == value for value in column])  # noqa: PLR0124  # NaN
    chosen = masks.setdefault(mask, Chosen(mask))
    return chosen.of(values), chosen
