"""Columns of Python's numbers as arrays, and columns with gaps."""

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

    Attributes:
        mask: a byte a row, 0 for those that are not chosen.
        any: whether there are some.
    """

    def __init__(self, mask: bytes) -> None:
        self.mask = mask
        self._spans = [found.span() for found in _STRETCH.finditer(mask)]
        self.any = bool(self._spans)

    def of(self, numbers: Any) -> Any:
        """Those of the items of an array or a list that are in these rows."""
        there = numbers[:0]
        if len(self._spans) * _SHORT_STRETCH > len(self.mask):
            there.extend(compress(numbers, self.mask))
        else:
            for start, end in self._spans:
                there.extend(numbers[start:end])
        return there
