"""What a reader yields, comparable to the last bit, so that NaN equals itself and is not MISSING."""

from array import array
from collections.abc import Iterable

from audioloss_cli.model import Series


def in_bits(items: Iterable[object]) -> list[object]:
    """Defects and marks are what they are."""
    return [
        item
        if not isinstance(item, Series)
        else (
            *(item.run, item.tag, item.step_source, tuple(item.restarts), array("q", item.steps).tobytes()),
            *(array("d", column).tobytes() for column in (item.values, item.wall_times)),
        )
        for item in items
    ]
