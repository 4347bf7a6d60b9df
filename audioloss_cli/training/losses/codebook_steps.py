"""At which steps the monitors of codebooks are given their losses.

Each codebook has a monitor of its own; all of them at every step would cost more than everything else.
"""

import math
from collections.abc import Collection

_FEED_STEPS = 25


class CodebookSteps:
    """Which steps their monitors are given.

    Args:
        threshold: of a warning.

    Attributes:
        fed: the last stretch of 25 steps of which one was given; None at first.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self.fed: int | None = None

    def takes(self, step: int, losses: Collection[float]) -> bool:
        """The first step of 25, whatever steps there are, and all at which a loss is low or no number."""
        stretch = step // _FEED_STEPS
        if stretch == self.fed and min(losses) >= self._threshold and math.isfinite(sum(losses)):
            return False
        self.fed = stretch
        return True
