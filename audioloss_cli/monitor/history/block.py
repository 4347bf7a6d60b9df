"""The points of 25 steps, as the usual level of a series is measured by them."""

from collections.abc import Sequence
from typing import NamedTuple

from audioloss_cli.model.median import median


class Block(NamedTuple):
    """The points of 25 steps.

    Attributes:
        key: which 25 steps.
        points: how many there are.
        median: of their values.
        distance: median distance of neighbours, in the unit of the loss.
    """

    key: int
    points: int
    median: float
    distance: float

    @property
    def spread(self) -> float:
        """The distance as a share of the median, so that a shift of the level does not look like noise."""
        return _share(self.distance, self.median)


def block_of(key: int, values: Sequence[float], previous: float | None) -> Block:
    """The block of these values; ``previous`` is the value before the first."""
    if len(values) == 1:
        return Block(key, 1, values[0], 0.0 if previous is None else abs(values[0] - previous))
    before = [values[0] if previous is None else previous, *values[:-1]]
    distances = [abs(after - prior) for prior, after in zip(before, values, strict=True)]
    return Block(key, len(values), median(values), median(distances))


def _share(distance: float, level: float) -> float:
    """Of a level; nothing where the level is not positive, for then there is no reference either."""
    return abs(distance) / level if level > 0 else 0.0
