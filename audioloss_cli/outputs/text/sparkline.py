"""A series in one row of characters, with a row under it that marks where incidents stand."""

import math

from audioloss_cli.model import Incident, SeriesReport, Severity
from audioloss_cli.model.envelope import Envelope, Part

_BLOCKS, _ASCII = "▁▂▃▄▅▆▇█", "_.-=+*%#"
_MARKS = {Severity.CRITICAL: "!", Severity.WARNING: "w", Severity.INFO: "i"}


def sparkline(envelope: Envelope, width: int, *, unicode: bool) -> str:
    """The mean of the finite values in each of at most ``width`` about equal parts; ``x`` where a part has none."""
    levels = _BLOCKS if unicode else _ASCII
    heights = [_half_mean(parts) for parts in _columns(envelope, width)]
    known = [height for height in heights if height is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return "".join("x" if height is None else levels[_level(height, low, high, len(levels))] for height in heights)


def alert_row(item: SeriesReport, width: int) -> str:
    """``!`` under the parts that a critical incident touches, ``w`` under a warning's; no trailing blanks."""
    columns = _columns(item.envelope, width)
    row = [" "] * len(columns)
    for incident in sorted(item.incidents, key=lambda incident: incident.severity.rank):
        for place, parts in enumerate(columns):
            if any(_touches(part, incident) for part in parts):
                row[place] = _MARKS[incident.severity]
    return "".join(row).rstrip()


def _columns(envelope: Envelope, width: int) -> list[tuple[Part, ...]]:
    parts = envelope.parts
    count = len(parts)
    columns = max(min(count, width), 1)
    return [parts[column * count // columns : (column + 1) * count // columns] for column in range(columns)]


def _touches(part: Part, incident: Incident) -> bool:
    """Steps never go back within a segment."""
    same = part.segment == incident.segment
    return same and part.first_step <= incident.last_step and part.last_step >= incident.first_step


def _half_mean(parts: tuple[Part, ...]) -> float | None:
    """Half the mean of the finite values: neither their sum nor the distance of two halves overflows float64."""
    finite = sum(part.finite for part in parts)
    return math.fsum(part.mean / 2 * (part.finite / finite) for part in parts if part.finite) if finite else None


def _level(height: float, low: float, high: float, count: int) -> int:
    return min(int((height - low) / (high - low) * count), count - 1) if high > low else 0
