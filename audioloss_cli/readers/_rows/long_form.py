"""Rows of one number and its name: ``{"name": "loss", "value": 2.5, "step": 10}``."""

from collections.abc import Sequence

from audioloss_cli.readers._rows.row import NAME_KEYS, Row

_VALUE_KEYS = ("value", "val", "metric_value", "scalar", "y")
_LEAST_SHARE = 0.9


def value_key(first: Sequence[Row]) -> str | None:
    """Return the key that holds the number of each row, judged by the first rows; None if the log is of another form.

    Beside the number there may be a step, an epoch and a time, and nothing that is a metric of its own.
    """
    for key in _VALUE_KEYS:
        of_form = [row for row in first if row.name and any(name == key for name, _ in row.numbers)]
        others = {name for row in of_form for name, _ in row.numbers}
        if len(of_form) > _LEAST_SHARE * len(first) and not any("loss" in name.lower() for name in others):
            return key
    return None


def unfolded(row: Row, key: str) -> Row:
    """Return the row with its number under its name; a value that is none is one of that name, too."""
    if not row.name:
        return row

    def renamed(names: list[str]) -> list[str]:
        return [row.name if name == key else name for name in names if name not in NAME_KEYS]

    numbers = [(row.name if name == key else name, number) for name, number in row.numbers]
    return row._replace(numbers=numbers, blanks=renamed(row.blanks), nulls=renamed(row.nulls))
