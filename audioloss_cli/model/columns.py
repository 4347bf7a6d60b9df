"""Columns of numbers that may be longer than memory: how to go through one."""

from collections.abc import Iterator
from typing import Any

BLOCK = 1 << 16  # numbers in a slice that is worth a read and fits into the processor's cache

# To import numpy takes about as long as to go through this many numbers a few times without it.
POINTS_WORTH_IMPORTING = 50_000


def lies_in_a_file(column: Any) -> bool:
    """Tell whether a column is a ``LongColumn`` of ``audioloss_cli.storage``, which reads itself from a file."""
    return hasattr(column, "file") and hasattr(column, "append")


def blocks(column: Any) -> Iterator[Any]:
    """Yield a column in slices that fit into memory; a column that lies in memory is yielded whole."""
    if not lies_in_a_file(column):
        yield column
        return
    for start in range(0, len(column), BLOCK):
        yield column[start : start + BLOCK]
