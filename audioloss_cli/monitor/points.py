"""Points out of buffers, and out of a saved state."""

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from audioloss_cli.model import MISSING, Point, is_missing
from audioloss_cli.model.point import NOTHING

#: A point of its fields, in a tuple; a named tuple's own constructor costs three times as much.
point_of: Callable[[tuple[int, float, float, Mapping[str, float]]], Point] = partial(tuple.__new__, Point)
_MISSING_BYTES = struct.pack("=d", MISSING)
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


def points_of(
    steps: Sequence[int], values: Sequence[float], times: Sequence[float], columns: Mapping[str, Sequence[float]]
) -> Iterator[Point]:
    """Points of built-in numbers, and what stands beside each."""
    return map(point_of, zip(steps, values, times, _beside_each(columns, len(values)), strict=True))


def _beside_each(columns: Mapping[str, Sequence[float]], count: int) -> Iterable[Mapping[str, float]]:
    if not columns:
        return repeat(NOTHING, count)
    if any(_MISSING_BYTES in array("d", column).tobytes() for column in columns.values()):  # or it only looks like it
        return (beside_at(columns, index) for index in range(count))
    if len(columns) == 1:
        ((name, column),) = columns.items()
        return ({name: value} for value in column)
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def plain_point(point: Point) -> list[Any]:
    """Its step, its value and what stands beside it, for a state; a missing number, whose bits JSON loses, is None."""
    beside = {name: None if is_missing(value) else value for name, value in point.beside.items()}
    return [point.step, None if is_missing(point.value) else point.value, beside]


def restored_point(state: Sequence[Any]) -> Point:
    """The point again, without its wall time."""
    step, value, beside = state
    known = {name: MISSING if item is None else item for name, item in beside.items()}
    return Point(step, MISSING if value is None else value, float("nan"), known)
