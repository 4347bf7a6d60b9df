"""Columns of decoded structs."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

#: A name that is written out is read from a struct three times as fast as one that is looked up. No loop can write it.
QUICK: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "c0": lambda rows: [row.c0 for row in rows],
    "c1": lambda rows: [row.c1 for row in rows],
    "c2": lambda rows: [row.c2 for row in rows],
    "c3": lambda rows: [row.c3 for row in rows],
    "c4": lambda rows: [row.c4 for row in rows],
    "c5": lambda rows: [row.c5 for row in rows],
    "c6": lambda rows: [row.c6 for row in rows],
    "c7": lambda rows: [row.c7 for row in rows],
}


def column_of(rows: Sequence[Any], field: str) -> list[Any]:
    """Return what each struct has in a field, fastest for those of ``QUICK``."""
    return QUICK[field](rows) if field in QUICK else list(map(attrgetter(field), rows))
