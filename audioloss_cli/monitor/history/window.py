"""The last points of a series, and their statistics."""

import math
from collections import deque
from typing import Any

from audioloss_cli.model import Point
from audioloss_cli.model.median import median


class Window:
    """At most ``size`` points within the last ``size`` training steps, among the last ``kept`` ones.

    The window counts steps, so a log with one point every 10 steps has a tenth of the points in it. Several points at
    one step push out older ones: memory stays bounded whatever the caller passes.
    """

    def __init__(self, size: int, kept: int, span: int | None = None) -> None:
        self.size = size
        self.span = size if span is None else span  # on the axis of the series
        self.kept: deque[Point] = deque(maxlen=kept)

    def clear(self) -> None:
        """Forget everything."""
        self.kept.clear()

    def points(self) -> list[Point]:
        """The points whose steps lie within the window that ends at the last one, at most ``size`` of them."""
        if not self.kept:
            return []
        first = self.kept[-1].step - self.span + 1
        return [point for point in self.kept if point.step >= first][-self.size :]

    def statistics(self, threshold: float, critical_threshold: float) -> dict[str, Any]:
        """Size, extremes, mean, median and counts below each threshold, over the finite values of the window."""
        values = [point.value for point in self.points()]
        finite = [value for value in values if math.isfinite(value)]
        # Halves, because the sum of two float64 may lie beyond float64, and so may that of many.
        halves = [value / 2 for value in finite]
        return {
            "history_size": len(values),
            "current": values[-1] if values else None,
            "min": min(finite, default=None),
            "max": max(finite, default=None),
            "mean": 2 * math.fsum(half / len(halves) for half in halves) if halves else None,
            "median": 2 * median(halves) if halves else None,
            "not_finite": len(values) - len(finite),
            "below_threshold": sum(value < threshold for value in finite),
            "below_critical_threshold": sum(value < critical_threshold for value in finite),
        }
