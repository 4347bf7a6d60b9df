"""The numbers and the time in one JSON object."""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

# Loggers that write strings: fairseq quotes every number, W&B exports spell "NaN" and "Infinity".
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|nan|inf(inity)?)", re.IGNORECASE)
_LONGEST_NUMBER = 40
_DEEPEST = 50
_LONGEST_LIST = 256  # longer than any list of codebooks; a dataset's samples are no metrics
# ms-swift logs "global_step/max_steps": "51/94".
_OF_TOTAL = re.compile(r"(\d+)/\d+")

WALL_TIME_KEYS = ("wall_time", "_timestamp", "timestamp", "time", "at", "created_at")
# "time" is often the seconds that a step took. Numbers below this (1973) are no dates; from 1e11 on they are in
# milliseconds, from 1e14 on in microseconds.
EARLIEST, MILLISECONDS, MICROSECONDS = 1e8, 1e11, 1e14


def number(value: Any) -> float | None:
    """A JSON number or a string that spells one, or one of a total, as float64; None for anything else.

    Beyond the range of float64 it is infinite.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        text = value.strip()
        of_total = _OF_TOTAL.fullmatch(text)
        return float(of_total[1] if of_total else text) if of_total or _NUMBER.fullmatch(text) else None
    return None


def flatten(item: Iterable[tuple[object, Any]], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Each key, nested ones and the places of a list joined with ``/``, with a value that is neither of the two."""
    for key, value in item:
        name = f"{prefix}{key}"
        if value and depth < _DEEPEST and isinstance(value, dict):
            yield from flatten(value.items(), f"{name}/", depth + 1)
        elif value and depth < _DEEPEST and isinstance(value, list) and len(value) <= _LONGEST_LIST:
            yield from flatten(enumerate(value), f"{name}/", depth + 1)
        else:
            yield name, value


def wall_time(item: dict[str, Any]) -> float:
    """Unix seconds from the first of ``WALL_TIME_KEYS`` that holds a date; NaN if none does. Naive dates are UTC."""
    for key in WALL_TIME_KEYS:
        if key in item and (found := seconds(item[key])) is not None:
            return found
    return math.nan


def seconds(value: Any) -> float | None:
    """Unix seconds if it is a date, as a number or as text; else None."""
    found = number(value)
    if found is not None:
        if not EARLIEST <= found < math.inf:
            return None
        return found / (1e6 if found >= MICROSECONDS else 1e3 if found >= MILLISECONDS else 1)
    if not isinstance(value, str):
        return None
    try:
        date = datetime.fromisoformat(value.strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
