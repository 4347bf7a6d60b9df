"""The numbers and the time in one JSON object."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

# Loggers that write strings: fairseq quotes every number, W&B exports spell "NaN" and "Infinity".
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|nan|inf(inity)?)", re.IGNORECASE)
_LONGEST_NUMBER = 40
_DEEPEST = 50

WALL_TIME_KEYS = ("wall_time", "_timestamp", "timestamp", "time", "at", "created_at")
# "time" is often the seconds that a step took. Numbers below this (1973) are no dates; from 1e11 on they are in
# milliseconds, from 1e14 on in microseconds.
_EARLIEST = 1e8
_MILLISECONDS, _MICROSECONDS = 1e11, 1e14


def number(value: Any) -> float | None:
    """A JSON number or a string that spells one, as float64 (infinite beyond its range); None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return None


def flatten(item: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, float | None]]:
    """Each key, nested ones joined with ``/``, with its number, or None for a null. Everything else is left out."""
    for key, value in item.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            if depth < _DEEPEST:
                yield from flatten(value, f"{name}/", depth + 1)
        elif value is None:
            yield name, None
        else:
            found = number(value)
            if found is not None:
                yield name, found


def wall_time(item: dict[str, Any]) -> float:
    """Unix seconds from the first of ``WALL_TIME_KEYS`` that holds a date; NaN if none does. Naive dates are UTC."""
    for key in WALL_TIME_KEYS:
        seconds = _seconds(item.get(key))
        if seconds is not None:
            return seconds
    return math.nan


def _seconds(value: Any) -> float | None:
    found = number(value)
    if found is not None:
        if not _EARLIEST <= found < math.inf:
            return None
        return found / (1e6 if found >= _MICROSECONDS else 1e3 if found >= _MILLISECONDS else 1)
    if not isinstance(value, str):
        return None
    try:
        date = datetime.fromisoformat(value.strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
