"""One row of a log: names with numbers, whatever it was written as."""

from typing import Any, NamedTuple

from audioloss_cli.readers._rows.numbers import flatten, number, wall_time


class Row(NamedTuple):
    """One row.

    Attributes:
        line: 1-based.
        numbers: keys with their numbers; a key may come twice, once flat and once nested.
        blanks: keys that hold something else, null or not.
        nulls: those of them that are null.
        wall_time: Unix seconds, or NaN.
    """

    line: int
    numbers: list[tuple[str, float]]
    blanks: list[str]
    nulls: list[str]
    wall_time: float


def row_of(line: int, parsed: dict[str, Any]) -> Row:
    """Return the row that an object holds: nested keys and the places of lists are joined with ``/``."""
    numbers, blanks, nulls = list[tuple[str, float]](), list[str](), list[str]()
    for key, value in flatten(parsed.items()):
        found = value if type(value) is float else number(value)
        if found is not None:
            numbers.append((key, found))
        else:
            blanks.append(key)
            nulls += [key] if value is None else []
    return Row(line, numbers, blanks, nulls, wall_time(parsed))
