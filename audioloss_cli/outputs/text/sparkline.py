"""A series in one row of characters, with a row under it that marks where incidents stand."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from audioloss_cli.model import Incident, SeriesReport, Severity

_BLOCKS, _ASCII = "▁▂▃▄▅▆▇█", "_.-=+*%#"
_ENOUGH = 4096  # values that tell the mean of a part
_MARKS = {Severity.CRITICAL: "!", Severity.WARNING: "w", Severity.INFO: "i"}


def sparkline(values: Sequence[float], width: int, *, unicode: bool) -> str:
    """The mean of the finite values in each of at most ``width`` equal parts; ``x`` where a part has none.

    Of very long parts an even choice of values counts.
    """
    levels = _BLOCKS if unicode else _ASCII
    heights = [
        _half_mean(values[start : end : 1 + (end - start) // _ENOUGH]) for start, end in _parts(len(values), width)
    ]
    known = [height for height in heights if height is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return "".join("x" if height is None else levels[_level(height, low, high, len(levels))] for height in heights)


def alert_row(item: SeriesReport, width: int) -> str:
    """``!`` under the parts that a critical incident touches, ``w`` under a warning's; no trailing blanks."""
    parts = _parts(len(item.series), width)
    row = [" "] * len(parts)
    for incident in sorted(item.incidents, key=lambda incident: incident.severity.rank):
        first, last = _indexes(item, incident)
        for column, (start, end) in enumerate(parts):
            if start <= last and end > first:
                row[column] = _MARKS[incident.severity]
    return "".join(row).rstrip()


def _parts(count: int, width: int) -> list[tuple[int, int]]:
    columns = max(min(count, width), 1)
    return [(column * count // columns, (column + 1) * count // columns) for column in range(columns)]


def _half_mean(values: Sequence[float]) -> float | None:
    """Half the mean of the finite values: neither their sum nor the distance of two halves overflows float64."""
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(value / 2 / len(finite) for value in finite) if finite else None


def _level(height: float, low: float, high: float, count: int) -> int:
    return min(int((height - low) / (high - low) * count), count - 1) if high > low else 0


def _indexes(item: SeriesReport, incident: Incident) -> tuple[int, int]:
    """Indexes of the first and the last point of an incident; steps never go back within a segment."""
    start = item.segment_starts[incident.segment]
    end = [*item.segment_starts, len(item.series)][incident.segment + 1]
    steps = item.series.steps
    return bisect_left(steps, incident.first_step, start, end), bisect_right(steps, incident.last_step, start, end) - 1
