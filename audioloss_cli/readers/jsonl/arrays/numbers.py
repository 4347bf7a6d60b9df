"""The numbers of proven lines as they are read: float64 as Python reads each, or int64."""

import json
import re
from typing import Any

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.cut import Cut, exponents
from audioloss_cli.readers.jsonl.arrays.decimals import integers, nearest
from audioloss_cli.readers.jsonl.arrays.words import MARGIN
from audioloss_cli.readers.jsonl.kinds import EXACT

_NUMBER = re.compile(rb"[-+.\deE]+")


class Numbers:
    """Those of some lines of a window.

    Attributes:
        count: how many lines.
    """

    def __init__(self, raw: bytes, window: Any, found: Cut, lines: Any) -> None:
        """The lines are given as bool or as indexes, or as a slice."""
        self._raw = raw
        self._window = window
        self._found = found
        self._lines = lines
        self.count = len(found.starts[0][lines])

    def whole(self, row: int) -> tuple[Any, Any]:
        """A row of whole numbers: int64, and which of them are small enough to be the same as float64."""
        total, _, too_long = integers(self._window, *self._cut(row))
        exact = (total <= EXACT) & ~too_long
        numbers = total.view(np.int64)
        if row in self._found.negative:
            numbers[self._found.negative[row][self._lines]] *= -1
        return numbers, exact

    def floats(self, row: int) -> Any:
        """A row of any numbers: float64."""
        starts, lengths = self._cut(row)
        total, dots, unsure = integers(self._window, starts, lengths)
        if unsure.any():
            total[unsure] = 0
        power: Any = 0
        if row in self._found.exponents:
            power = exponents(self._window, starts, lengths, self._found.exponents[row][self._lines])
        values, close = nearest(total, dots, power)
        unsure |= close
        if row in self._found.negative:
            negative = self._found.negative[row][self._lines]
            np.negative(values, out=values, where=negative)
            unsure |= negative & (values == 0)  # -0 is 0, for it is an int; -0.0 is not
            starts = starts - negative
        for index in np.flatnonzero(unsure).tolist():
            values[index] = self._by_python(int(starts[index]))
        return values

    def _cut(self, row: int) -> tuple[Any, Any]:
        return self._found.starts[row][self._lines], self._found.lengths[row][self._lines]

    def _by_python(self, start: int) -> float:
        text = _NUMBER.match(self._raw, MARGIN + start)
        return float(json.loads(text[0])) if text else float("nan")
