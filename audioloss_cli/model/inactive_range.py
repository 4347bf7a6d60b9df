"""Values at which a rule cannot hold."""

import math
from collections.abc import Sequence
from typing import NamedTuple

# More and less than 1 by more than a few roundings of float64, and by nothing that a loss would show.
MORE, LESS = 1 + 2.0**-40, 1 - 2.0**-40


class InactiveRange(NamedTuple):
    """Values at which a rule cannot hold.

    They are at least both of ``low`` and ``low_share`` times the reference, and below both of ``high`` and
    ``high_share`` times the level, which follows a falling loss. Where the level is at most ``fallen`` times the start
    of the series, they are below ``start_share`` times the start as well. The shares count only where there is a
    reference, and within them only what lies more than a rounding from their ends: a rule may come to the same bound in
    another way, or hold on it. ``company`` is how many of the last 9 points, the current one among them, lie outside
    where the rule holds.
    """

    low: float = -math.inf
    high: float = math.inf
    low_share: float = 0.0
    high_share: float = math.inf
    company: int = 1
    start_share: float = math.inf
    fallen: float = 0.0

    def interval(
        self, reference: float | None, level: float | None = None, start: float | None = None
    ) -> tuple[float, float]:
        """Least value, and the first one above, under this reference and this level; the reference, if it is None."""
        if reference is None:
            return self.low, self.high
        recent = reference if level is None else level
        high = min(self.high, LESS * self.high_share * recent)
        if start is not None and recent <= MORE * self.fallen * start:
            high = min(high, LESS * self.start_share * start)
        return max(self.low, MORE * self.low_share * reference), high

    @classmethod
    def all_of(cls, parts: Sequence["InactiveRange"]) -> "InactiveRange":
        """Where none of several rules can hold."""
        if not parts:
            return cls()
        lows, highs, low_shares, high_shares, _, start_shares, fallen = zip(*parts, strict=True)
        return cls(
            max(lows),
            min(highs),
            max(low_shares),
            min(high_shares),
            start_share=min(start_shares),
            fallen=max(fallen),
        )

    @property
    def relative(self) -> bool:
        """Whether it depends on what is usual."""
        return self.low_share > 0 or self.high_share < math.inf or self.fallen > 0
