"""One row of a log: names with numbers, whatever it was written as."""

import math
from functools import partial
from typing import Any, NamedTuple

from audioloss_cli.readers._rows.numbers import (
    ALL_NAMES,
    LONGEST_NAME,
    WALL_TIME_KEYS,
    flatten,
    number,
    wall_time,
)

#: Under which a log of several launches names each; all that a row has count together.
RUN_KEYS = ("run_name", "run_id", "run")
#: Under which a row of the long form, ``{"name": "loss", "value": 2.5, "step": 10}``, names its metric.
NAME_KEYS = ("name", "metric", "metric_name", "tag", "key", "variable")
_RUN_KEYS = frozenset(RUN_KEYS)
_TELLING_KEYS = _RUN_KEYS.union(WALL_TIME_KEYS)
_LONGEST_LABEL = 256
_PLAIN = 1 << 63  # below it a whole number is taken as it is


class Row(NamedTuple):
    """One row.

    Attributes:
        line: 1-based.
        numbers: keys with their numbers; a key may come twice, once flat and once nested.
        blanks: keys that hold something else, null or not.
        nulls: those of them that are null.
        wall_time: Unix seconds, or NaN.
        run: what the row says of the launch that it is of; empty if nothing.
        name: the metric that the row names, as in the long form; empty if none.
        skipped: the beginning of a key that is too long to be a name; empty if there is none.
    """

    line: int
    numbers: list[tuple[str, float]]
    blanks: list[str]
    nulls: list[str]
    wall_time: float
    run: str = ""
    name: str = ""
    skipped: str = ""


_ROW = partial(tuple.__new__, Row)  # a named tuple's own constructor costs three times as much


def row_of(line: int, parsed: dict[str, Any]) -> Row:
    """Return the row that an object holds: nested keys and the places of lists are joined with ``/``."""
    numbers: list[tuple[str, float]] = []
    blanks: list[str] = []
    nulls: list[str] = []
    skipped: list[str] = []
    room = [ALL_NAMES]
    for key, value in parsed.items():
        if type(value) is float and len(key) <= LONGEST_NAME:  # most of them
            numbers.append((key, value))
            continue
        if type(value) is int and -_PLAIN < value < _PLAIN and len(key) <= LONGEST_NAME:
            numbers.append((key, float(value)))
            continue
        if key in _RUN_KEYS and type(value) is str:
            continue  # it names the launch, though it may look like a number
        for name, inner in flatten(key, value, skipped, room):
            found = number(inner)
            if found is not None:
                numbers.append((name, found))
            else:
                blanks.append(name)
                nulls += [name] if inner is None else []
    label = ""
    if blanks:
        label = next((value for key in NAME_KEYS if isinstance(value := parsed.get(key), str)), "")
    if _TELLING_KEYS.isdisjoint(parsed):
        return _ROW((line, numbers, blanks, nulls, math.nan, "", label[:LONGEST_NAME], "".join(skipped[:1])))
    run = run_of(parsed)
    return Row(line, numbers, blanks, nulls, wall_time(parsed), run, label[:LONGEST_NAME], "".join(skipped[:1]))


def run_of(parsed: dict[str, Any]) -> str:
    """Return what an object says of the launch that it is of."""
    if _RUN_KEYS.isdisjoint(parsed):
        return ""
    labels = [value for key in RUN_KEYS if isinstance(value := parsed.get(key), str) and value]
    return " ".join(label[:_LONGEST_LABEL] for label in labels)
