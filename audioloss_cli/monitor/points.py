"""Points out of buffers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audioloss_cli.records import is_missing
from audioloss_cli.records.point import NOTHING

MANY_REPEATS = 10  # so many identical values in a row are nothing that usually happens


def plain(buffer: Any) -> Sequence[Any]:
    """Built-in numbers: indexing a numpy array one by one costs ten times as much."""
    return buffer.tolist() if hasattr(buffer, "tolist") else buffer  # type: ignore[no-any-return]


def beside_at(columns: Mapping[str, Sequence[float]], index: int) -> Mapping[str, float]:
    """What was logged beside one point; series that were not logged there are left out."""
    if not columns:
        return NOTHING
    found = {name: column[index] for name, column in columns.items() if not is_missing(column[index])}
    return found or NOTHING


def rows_beside(columns: Mapping[str, Sequence[float]]) -> Iterator[Mapping[str, float]]:
    """The same for every point, from columns of which none has a missing value; there must be one."""
    if len(columns) == 1:
        ((name, column),) = columns.items()
        return ({name: value} for value in column)
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
