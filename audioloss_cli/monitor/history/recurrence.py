"""Whether a series repeats its beginning to the last digit, as it does where each epoch has the same weights.

The first 12 values are looked for again. A stretch of 12 that comes again at the same distance twice is no chance, even
where values are rounded to a few digits; a single one may be, in bfloat16.
"""

from collections.abc import Sequence
from typing import Any

_LENGTH, _LEAST_DIFFERENT = 12, 10


class Recurrence:
    """Takes in every value of a segment.

    Attributes:
        times: how often the beginning has come again at the same distance.
        period: that distance, in points; 0 before it has.
    """

    def __init__(self) -> None:
        self._anchor: list[float] = []
        self._ready = False  # whether the anchor is known and has enough different values
        self._place = 0  # how many of its values the last ones are
        self._index = 0  # of the next point
        self._last = 0  # where it began when it was last seen
        self.period = self.times = 0

    def see(self, value: float) -> bool:
        """Take in a value; whether the beginning has come again up to here."""
        self._index += 1
        if not self._ready:
            if len(self._anchor) < _LENGTH:
                self._anchor.append(value)
                self._ready = _is_telling(self._anchor)
            return False
        if value != self._anchor[self._place]:
            self._place = int(value == self._anchor[0]) if self._place else 0
            return False
        self._place += 1
        if self._place < _LENGTH:
            return False
        self._found(self._index - _LENGTH)
        return True

    def _found(self, begin: int) -> None:
        period = begin - self._last
        self.times = self.times + 1 if period == self.period else 1
        self.period, self._last, self._place = period, begin, 0

    def until_found(self, values: Any) -> int | None:
        """Index of the first of these next values at which the beginning has come again; None if it does not.

        Args:
            values: float64 [values], numpy.
        """
        missing = self._missing(values)
        anchor = [*self._anchor, *values[:missing].tolist()] if missing else self._anchor
        if not (self._ready or _is_telling(anchor)):
            return None
        found = _follow(values[missing:], anchor, self._place)[0]
        return None if found is None else found + missing

    def skip(self, values: Any) -> None:
        """Take in many values among which the beginning does not come again."""
        missing = self._missing(values)
        for value in values[:missing].tolist():
            self.see(value)
        values = values[missing:]
        if self._ready:
            self._place = _follow(values, self._anchor, self._place)[1]
        self._index += len(values)

    def _missing(self, values: Any) -> int:
        """How many of these next values are still part of the beginning."""
        return min(_LENGTH - len(self._anchor), len(values))

    def state_dict(self) -> list[Any]:
        """Plain built-in types."""
        anchor = [None if value != value else value for value in self._anchor]  # noqa: PLR0124  # NaN
        return [anchor, self._place, self._index, self._last, self.period, self.times]

    def load_state_dict(self, state: Sequence[Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        anchor, self._place, self._index, self._last, self.period, self.times = state
        self._anchor = [float("nan") if value is None else value for value in anchor]
        self._ready = _is_telling(self._anchor)


def _is_telling(anchor: Sequence[float]) -> bool:
    """Whether it is whole, and has enough different values."""
    return len(anchor) == _LENGTH and len(set(anchor)) >= _LEAST_DIFFERENT


def _follow(values: Any, anchor: Sequence[float], place: int) -> tuple[int | None, int]:
    """Where it has come again, and how many of its values the last ones are."""
    index, turn = 0, 0
    begins = (values == anchor[0]).nonzero()[0].tolist()
    while index < len(values):
        if not place:
            while turn < len(begins) and begins[turn] < index:
                turn += 1
            if turn == len(begins):
                return None, 0
            place, index = 1, begins[turn] + 1
            continue
        value = values[index]
        place = place + 1 if value == anchor[place] else int(value == anchor[0])
        if place == _LENGTH:
            return index, 0
        index += 1
    return None, place
