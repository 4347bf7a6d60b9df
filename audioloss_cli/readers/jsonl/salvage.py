"""From a line to its JSON object, and what can be saved from a line that holds more or less than one."""

import json
from collections.abc import Collection
from typing import Any

_decoder = json.JSONDecoder()
# "\r\n" replaced or lost between two rows; anything longer may be the inside of a damaged row.
_LONGEST_LOST_NEWLINE = 2
# Every try may parse up to the end of the line: a hostile line must not cost minutes.
_LONGEST_ROW, _MOST_TRIES = 1 << 16, 256


def parse_object(line: bytes) -> dict[str, Any] | None:
    """The object that is the whole line, or None. NaN, Infinity and -Infinity count as numbers."""
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None
    return found if isinstance(found, dict) else None


def salvage(line: bytes, shapes: Collection[frozenset[str]]) -> list[dict[str, Any]]:
    """Whole rows in a line that is no row: a writer died in mid-line and its successor went on in the same line.

    Only an object with exactly the keys of some intact row of the file counts, so that no inner object is ever taken
    for a row: one that ends where the line ends, and before it one that starts where the line starts, if nothing but a
    lost newline lies between the two.
    """
    if len(line) > _LONGEST_ROW:
        return []
    text = line.decode("utf-8", "replace")
    start = text.find("{", 1)
    for _ in range(_MOST_TRIES):
        if start < 0:
            break
        last = _row_at(text, start, shapes)
        if last is not None and not text[last[1] :].strip():
            first = _row_at(text, 0, shapes)
            joined = first is not None and first[1] <= start <= first[1] + _LONGEST_LOST_NEWLINE
            return [first[0], last[0]] if first is not None and joined else [last[0]]
        start = text.find("{", start + 1)
    return []


def _row_at(text: str, start: int, shapes: Collection[frozenset[str]]) -> tuple[dict[str, Any], int] | None:
    try:
        found, end = _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return (found, end) if isinstance(found, dict) and frozenset(found) in shapes else None
