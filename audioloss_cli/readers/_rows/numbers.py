"""The numbers and the time in one JSON object."""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

_DIGITS = r"(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|nan|inf(?:inity)?)"
# Loggers that write strings: fairseq quotes every number, W&B exports spell "NaN" and "Infinity".
_PLAIN = re.compile(rf"[+-]?{_DIGITS}", re.IGNORECASE)
# Others: "51/94" (ms-swift's step of a total), "1,200", "12.5%", and what str() makes of a scalar of torch, numpy or
# JAX: "tensor(3.2, device='cuda:0')", "np.float32(3.2)", "Array(3.2, dtype=float32)".
_DRESSED = re.compile(
    r"(?P<of_total>\d+)/\d+"
    r"|(?P<grouped>[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?)"
    rf"|(?P<percent>[+-]?{_DIGITS})\s?%"
    r"|(?:[a-z_][\w.]{0,20}\.)?(?:tensor|array|float\d*|bfloat16|int\d*|decimal|parameter)"
    rf"\(\[?['\"]?(?P<wrapped>[+-]?{_DIGITS})['\"]?\]?(?:,[^()]*)?\)",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 120
# Some text in a column, one a line, may spell a number.
_PERHAPS = re.compile(
    rf"^\s*(?:[+-]?{_DIGITS}\s*%?\s*$|\d+[/,]\d|[^\n]*\(\[?['\"]?[+-]?[\d.ni])", re.IGNORECASE | re.MULTILINE
)
_ALL_PLAIN = re.compile(rf"(?:[+-]?{_DIGITS}\n)+", re.IGNORECASE)
_DEEPEST = 50
_LONGEST_LIST = 256  # longer than any list of codebooks; a dataset's samples are no metrics
LONGEST_NAME = 4096
ALL_NAMES = 16 << 20  # characters of the names of one row: a long outer key stands before each of its inner ones

WALL_TIME_KEYS = ("wall_time", "_timestamp", "timestamp", "time", "at", "created_at")
_WALL_TIME_KEYS = frozenset(WALL_TIME_KEYS)
# "time" is often the seconds that a step took. Numbers below this (1973) are no dates; from 1e11 on they are in
# milliseconds, from 1e14 on in microseconds.
EARLIEST, MILLISECONDS, MICROSECONDS = 1e8, 1e11, 1e14


def number(value: Any) -> float | None:
    """Return a JSON number, or the number that a string spells, as float64; None for anything else.

    Beyond the range of float64 it is infinite.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        text = value.strip()
        if _PLAIN.fullmatch(text):
            return float(text)
        dressed = _DRESSED.fullmatch(text)
        return float(dressed[dressed.lastgroup or 0].replace(",", "")) if dressed else None
    return None


def spelled(texts: Sequence[str]) -> list[float | None]:
    """Return ``number`` of each text, faster for many of one kind; an empty list if none spells a number."""
    column = "\n".join(texts)
    if not _PERHAPS.search(column):
        return []
    is_plain = column.count("\n") == len(texts) - 1 and _ALL_PLAIN.fullmatch(column + "\n")
    if is_plain and max(map(len, texts)) <= _LONGEST_NUMBER:
        return list(map(float, texts))
    return list(map(number, texts))


def flatten(key: str, value: Any, skipped: list[str], room: list[int], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield a value with its name, or those in it: nested keys and the places of a list are joined with ``/``.

    A name that is too long, or for which there is no more room (in characters), goes to ``skipped``.
    """
    room[0] -= len(key)
    if len(key) > LONGEST_NAME or room[0] < 0:
        skipped.append(key[:80])
    elif value and depth < _DEEPEST and isinstance(value, dict):
        for inner, item in value.items():
            yield from flatten(f"{key}/{inner}", item, skipped, room, depth + 1)
    elif value and depth < _DEEPEST and isinstance(value, list) and len(value) <= _LONGEST_LIST:
        for place, item in enumerate(value):
            yield from flatten(f"{key}/{place}", item, skipped, room, depth + 1)
    else:
        yield key, value


def wall_time(item: dict[str, Any]) -> float:
    """Unix seconds from the first of ``WALL_TIME_KEYS`` that holds a date; NaN if none does. Naive dates are UTC."""
    if _WALL_TIME_KEYS.isdisjoint(item):
        return math.nan
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
