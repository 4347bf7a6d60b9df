"""The last points of a series, and their statistics."""

import math
from collections import deque
from collections.abc import Iterable
from statistics import fmean, median
from typing import Any


class Window:
    """At most ``size`` points within the last ``size`` training steps.

    The window counts steps, so a log with one point every 10 steps has a tenth of the points in it. Several points at
    one step push out older ones: memory stays bounded whatever the caller passes.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._points: deque[tuple[int, float]] = deque(maxlen=size)

    def add(self, step: int, value: float) -> None:
        """Append one point."""
        self._points.append((step, value))

    def extend(self, steps: Iterable[int], values: Iterable[float]) -> None:
        """Append many."""
        self._points.extend(zip(steps, values, strict=True))

    def clear(self) -> None:
        """Forget everything."""
        self._points.clear()

    def points(self) -> list[tuple[int, float]]:
        """The points whose steps lie within the window that ends at the last one."""
        if not self._points:
            return []
        first = self._points[-1][0] - self.size + 1
        return [point for point in self._points if point[0] >= first]

    def statistics(self, threshold: float, critical_threshold: float) -> dict[str, Any]:
        """Size, extremes, mean, median and counts below each threshold, over the finite values of the window."""
        values = [value for _, value in self.points()]
        finite = [value for value in values if math.isfinite(value)]
        return {
            "history_size": len(values),
            "current": values[-1] if values else None,
            "min": min(finite, default=None),
            "max": max(finite, default=None),
            "mean": _mean(finite) if finite else None,
            "median": median(finite) if finite else None,
            "not_finite": len(values) - len(finite),
            "below_threshold": sum(value < threshold for value in finite),
            "below_critical_threshold": sum(value < critical_threshold for value in finite),
        }


def _mean(values: list[float]) -> float:
    try:
        return fmean(values)
    except OverflowError:  # values at the border of float64: their sum lies beyond it, their mean does not
        mean = 2 * math.fsum(value / 2 / len(values) for value in values)
        return min(max(mean, min(values)), max(values))
