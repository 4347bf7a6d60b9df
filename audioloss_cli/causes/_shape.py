"""The shape of one incident: the level before it, how long the fall took, what stands at its points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from audioloss_cli.causes._figures import Figures
from audioloss_cli.model.median import median

_DENSE_STEPS = 100  # a fall within a longer logging interval may have been gradual
FAR = 4  # a fall by this factor is none that training makes within an incident
_MANY_EQUAL = 10
_FLAT = 0.06
_DECIMALS = 4  # to which HF Trainer rounds what it logs
_LOW_START = 0.5  # nats; no cross entropy over the codes of real audio starts there


@dataclass(frozen=True)
class Shape:
    """Numbers about one incident, in the unit of the loss and in training steps; all of its own segment.

    Attributes:
        begin: first step of the segment.
        start: highest of its first 3 finite values before the incident; NaN without any.
        level: usual value before the fall; ``start`` where the fall has no plateau before it. NaN without any.
        before: last value before the incident, at step ``before_step``; NaN without any.
        high: last value above half the level, at step ``high_step``; NaN and None where it is low from the start.
        first_step: of the first point below the threshold; for want of one, near the level that the loss falls to; for
            want of a fall, the first bad one.
        first_value: the value there.
        between: number of points from ``high_step`` to the first bad one, both excluded.
        earlier: number of points of the segment before the first bad one.
        figures: of the finite values of the incident's steps, healthy ones of a flapping incident included.
        points: number of values there, finite or not.
        back: the value at which the incident was over; NaN while it lasts.
        threshold: the warning threshold in force.
    """

    begin: int
    start: float
    level: float
    before: float
    before_step: int
    high: float
    high_step: int | None
    first_step: int
    first_value: float
    between: int
    earlier: int
    figures: Figures
    points: int
    back: float
    threshold: float

    @property
    def values(self) -> Sequence[float]:
        """The finite values; of very many an even choice."""
        return self.figures.values

    @property
    def fall_steps(self) -> int:
        """Steps from the last point above half the level to the first bad one."""
        return self.first_step - (self.begin if self.high_step is None else self.high_step)

    @cached_property
    def low(self) -> list[float]:
        """The values below the threshold."""
        return [value for value in self.values if value < self.threshold]

    @property
    def fell(self) -> bool:
        """Whether the loss is far below where it was, or too low to begin with."""
        return self.first_value < max(self.threshold, self.level / FAR)

    @property
    def recovers(self) -> bool:
        """Whether the loss itself comes back, rather than the rule's condition alone."""
        return self.back > self.level / FAR

    @property
    def from_the_start(self) -> bool:
        """Whether there is no healthy point before the incident."""
        return not self.start > _LOW_START

    @property
    def cliff(self) -> bool:
        """From healthy to bad within one logging interval, or two, of a log that is dense enough to tell."""
        return self.high_step is not None and self.between <= 1 and self.fall_steps <= _DENSE_STEPS

    @property
    def coarse(self) -> bool:
        """From healthy to bad within one logging interval that is long: whatever happened, the log skipped it."""
        return self.high_step is not None and self.between == 0 and self.fall_steps > _DENSE_STEPS

    @cached_property
    def rounded(self) -> bool:
        """Low values are whole ten-thousandths, and the first 0 came after one that was low already: it may be 4e-5."""
        first = self.values.index(0) if 0 in self.values else 0
        near = (self.values[first - 1] if first else self.before) < self.threshold
        return near and all(value == round(value, _DECIMALS) for value in self.low)

    @cached_property
    def zeros(self) -> int:
        """Number of values that are exactly zero, and no rounded small ones."""
        return 0 if self.rounded else self.figures.zeros

    @cached_property
    def mostly_zero(self) -> bool:
        """Whether what is low is exactly zero."""
        return self.zeros > 0 and sum(value == 0 for value in self.values) > len(self.low) / 2

    @cached_property
    def constant(self) -> float | None:
        """The one value of all points, if there are at least 10."""
        one = len(self.values) >= _MANY_EQUAL and self.figures.least == self.figures.greatest
        return self.values[0] if one else None

    @cached_property
    def flat(self) -> bool:
        """Whether the loss hovers where it started, in at least 10 points."""
        middle = median(self.values) if len(self.values) >= _MANY_EQUAL else math.nan
        moved = max(abs(middle - self.start), abs(self.level - self.start))
        return moved <= _FLAT * self.start and not self.fell and self.constant is None
