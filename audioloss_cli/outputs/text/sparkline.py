"""A series in one row of characters, with a row under it that marks where incidents stand."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from audioloss_cli.records import Incident, SeriesReport, Severity

_BLOCKS, _ASCII = "▁▂▃▄▅▆▇█", "_.-=+*%#"
_MARKS = {Severity.CRITICAL: "!", Severity.WARNING: "w", Severity.INFO: "i"}


def sparkline(values: Sequence[float], width: int, *, unicode: bool) -> str:
    """The mean of the finite values in each of at most ``width`` equal parts; ``x`` where a part has none."""
    levels = _BLOCKS if unicode else _ASCII
    means = [_mean(values[start:end]) for start, end in _parts(len(values), width)]
    finite = [mean for mean in means if mean is not None]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    span = high - low
    return "".join("x" if mean is None else levels[_level(mean - low, span, len(levels))] for mean in means)


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


def _mean(values: Sequence[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else None


def _level(above: float, span: float, count: int) -> int:
    return min(int(above / span * count), count - 1) if span > 0 else 0


def _indexes(item: SeriesReport, incident: Incident) -> tuple[int, int]:
    """Indexes of the first and the last point of an incident; steps never go back within a segment."""
    start = item.segment_starts[incident.segment]
    end = [*item.segment_starts, len(item.series)][incident.segment + 1]
    steps = item.series.steps
    return bisect_left(steps, incident.first_step, start, end), bisect_right(steps, incident.last_step, start, end) - 1
