"""Where a value stands on the vertical axis of a curve, and which values the axis names."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from audioloss_cli.model.envelope import Part

_DECADES_OF_A_UNIT = 1e-4  # 0.02 %: what is read back from a curve is right to more digits than are shown
_UNITS = 100_000  # of a linear axis
_WORTH_LOG = 10  # highest value over lowest from which a log axis is the better one
_MARGIN = 0.04  # of the axis, above the highest and below the lowest value
_FLOOR = 0.3  # decades below the lowest positive value at which zero stands
_MOST_DECADES = 6  # with a tick at each power of ten
_STEPS = (1, 2, 5, 10)


class Tick(NamedTuple):
    """A value that an axis names: its text, and its place in per cent from the left or from the top."""

    text: str
    place: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis in whole units, counted from the top.

    Attributes:
        log: whether it is logarithmic.
        top: the value at the top: of a log axis its decimal logarithm.
        unit: size of a unit: decades of a log axis, else of the value.
        height: units from top to bottom.
        floor: the unit at which zero stands on a log axis that has one; -1 on any other.
    """

    log: bool
    top: float
    unit: float
    height: int
    floor: int = -1

    @classmethod
    def over(cls, parts: Iterable[Part]) -> "Scale":
        """Return the axis on which all finite values of these parts have room, logarithmic where that shows more."""
        known = [part for part in parts if part.finite]
        low, high = min((part.low for part in known), default=0.0), max((part.high for part in known), default=1.0)
        positive = min((value for part in known for value in part[4:7] if value > 0), default=0.0)
        if low >= 0 and positive and high / positive >= _WORTH_LOG:
            return cls._logarithmic(positive, high, zero=low == 0)
        return cls._linear(low, high)

    @classmethod
    def _logarithmic(cls, low: float, high: float, *, zero: bool) -> "Scale":
        bottom, top = math.log10(low) - _FLOOR * zero, math.log10(high)
        margin = (top - bottom) * _MARGIN
        floor = round((top - bottom + margin) / _DECADES_OF_A_UNIT) if zero else -1
        height = round((top - bottom + 2 * margin) / _DECADES_OF_A_UNIT)
        return cls(True, top + margin, _DECADES_OF_A_UNIT, height, floor)

    @classmethod
    def _linear(cls, low: float, high: float) -> "Scale":
        half = (high / 2 - low / 2) or abs(high) * _MARGIN or 0.5  # the whole distance may be beyond float64
        margin = min(half * 2 * _MARGIN, 1e308 - min(abs(high), 1e308))
        top = high + margin if high > low else high + half
        return cls(False, top, max((half + margin) / (_UNITS / 2), 5e-324), _UNITS)

    def place(self, value: float) -> int:
        """Return the unit of a finite value."""
        if not self.log:
            return round((self.top / 2 - value / 2) / self.unit * 2)
        return round((self.top - math.log10(value)) / self.unit) if value > 0 else self.floor

    def per_cent(self, value: float) -> float:
        """Return how far below the top a value stands."""
        return 100 * self.place(value) / self.height

    def ticks(self, most: int) -> list[Tick]:
        """Return at most about so many ticks, from the top down."""
        values = self._decades(most) if self.log else self._steps(most)
        inside = [(value, self.per_cent(value)) for value in values]
        return [Tick(f"{value:.4g}", round(place, 2)) for value, place in inside if 0 <= place <= 100]  # noqa: PLR2004

    def _decades(self, most: int) -> Iterator[float]:
        bottom = self.top - self.height * self.unit
        first, last = math.floor(bottom), math.ceil(self.top)
        every = max(-(-(last - first) // most), 1)
        factors = (1,) if last - first > most / 2 else (1, 2, 5) if last - first > 1 else (1, 2, 3, 5, 7)
        for power in range(last, first - 1, -1):
            if power % every == 0:
                yield from (factor * 10.0**power for factor in reversed(factors) if -300 < power < 300)  # noqa: PLR2004

    def _steps(self, most: int) -> Iterator[float]:
        bottom = self.top - self.height * self.unit
        yield from reversed(list(nice_steps(bottom, self.top, most)))


def nice_steps(low: float, high: float, most: int) -> Iterator[float]:
    """Yield at most about so many round numbers between two."""
    rough = high / most - low / most
    if not (rough > 0 and math.isfinite(rough)):
        return
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * 0.999)
    if not (step > 0 and math.isfinite(step)):
        return
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield number * step
