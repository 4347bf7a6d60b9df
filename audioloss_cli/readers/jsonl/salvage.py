"""What can be saved from a line that holds more or less than one JSON object."""

import json
import re
from collections.abc import Callable
from typing import Any

_decoder = json.JSONDecoder()

# "\r\n" replaced or lost between two rows; anything longer may be the inside of a damaged row.
_LONGEST_LOST_NEWLINE = 2
# Every try may parse up to the end of the line: a hostile line must not cost minutes.
_LONGEST_ROW, _MOST_TRIES, _DEEPEST = 1 << 16, 64, 50
_COLOUR = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def peeled(line: bytes) -> bytes:
    """Return a line without colours, without the comma at its end and without the words before its object."""
    try:
        text = _COLOUR.sub("", line.decode()).rstrip(" \t\r,")
    except UnicodeDecodeError:
        return line
    prefix, brace, rest = text.partition("{")
    is_prefix = text.endswith("}") and '"' not in prefix and "}" not in prefix and "\0" not in prefix
    return (brace + rest if is_prefix else text).encode()


def salvage(line: bytes, is_row: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return whole rows in a line that is no row: a writer died in mid-line and its successor went on in the same line.

    Only an object with the keys of the intact rows of the file counts, so that no inner object is ever taken
    for a row: one that ends where the line ends, and before it those that follow each other from its start, if nothing
    but lost newlines lies between them all. Keys and texts with bytes that are no UTF-8 are left out.
    """
    return [_undamaged(row) for row in _whole_rows(line, is_row)]


def _undamaged(row: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """A row without the keys and the texts in which bytes were no UTF-8."""
    kept: dict[str, Any] = {}
    for key, value in row.items():
        if "\ufffd" in key or (isinstance(value, str) and "\ufffd" in value):
            continue
        kept[key] = _undamaged(value, depth + 1) if isinstance(value, dict) and depth < _DEEPEST else value
    return kept


def _whole_rows(line: bytes, is_row: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    if len(line) > _LONGEST_ROW:
        return []
    text = line.decode("utf-8", "replace").rstrip(" \t\r,")
    rows, start = list[dict[str, Any]](), 0
    while (found := _row_at(text, start, is_row)) is not None:
        rows.append(found[0])
        if found[1] == len(text):
            return rows
        start = text.find("{", found[1], found[1] + _LONGEST_LOST_NEWLINE + 1)
        if start < 0:
            break
    start = len(text)
    for _ in range(_MOST_TRIES):
        start = text.rfind("{", 1, start)
        if start < 0:
            break
        found = _row_at(text, start, is_row)
        if found is not None and found[1] == len(text):
            return [found[0]]
    return []


def _row_at(text: str, start: int, is_row: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any], int] | None:
    if not text.startswith("{", start):
        return None
    try:
        found, end = _decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return (found, end) if isinstance(found, dict) and is_row(found) else None
