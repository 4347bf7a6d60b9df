"""From a parsed document to its rows."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from audioloss_cli.readers._rows.numbers import number

_LEAST_SHARE = 0.5  # of the keys of an object of columns that must be lists of numbers
_DEEPEST = 3
_NUMBERED = re.compile(r"[A-Za-z_ -]{0,20}(\d{1,15})")
_Object = dict[str, Any]


def rows_in(parsed: _Object) -> list[_Object] | None:
    """Return the rows that an object holds in its columns or in its lists; None if it is a row itself."""
    columns = _columns(parsed)
    if columns is not None and _are_of_one_table(columns):
        names = list(columns)
        rows = zip_longest(*columns.values(), fillvalue=_ABSENT)
        return [{name: value for name, value in zip(names, row, strict=True) if value is not _ABSENT} for row in rows]
    return _listed(parsed) or _numbered(parsed)


_ABSENT = object()


def _columns(parsed: _Object, depth: int = 0) -> dict[str, Sequence[Any]] | None:
    """The columns of an object, those of objects in it by joined names; None if it is none of columns."""
    found: dict[str, Sequence[Any]] = {}
    fit = 0
    for key, value in parsed.items():
        column = _column(value)
        inner = _columns(value, depth + 1) if column is None and isinstance(value, dict) and depth < _DEEPEST else None
        if column is not None:
            found[key] = column
        elif inner is not None:
            found.update({f"{key}/{name}": inner_column for name, inner_column in inner.items()})
        fit += column is not None or inner is not None
    nested = any(isinstance(value, dict) for value in parsed.values())
    return found if found and (fit >= _LEAST_SHARE * len(parsed) or (nested and depth == 0 and fit)) else None


def _are_of_one_table(columns: dict[str, Sequence[Any]]) -> bool:
    """Whether most columns are equally long: those of a training are, and the lists of a configuration are not."""
    ((_, most),) = Counter(map(len, columns.values())).most_common(1)
    return 2 * most > len(columns)


def _column(value: Any) -> Sequence[Any] | None:
    """The numbers of a list, or of an object as pandas writes a column, whose keys are "0", "1", ...; else None."""
    if isinstance(value, dict) and len(value) > 1 and all(map(str.isdecimal, value)):
        value = list(value.values())
    if not isinstance(value, list) or len(value) < 2:  # noqa: PLR2004
        return None
    numbers = sum(number(item) is not None for item in value)
    return value if 2 * numbers >= len(value) else None


def _listed(parsed: _Object) -> list[_Object] | None:
    """The rows of the longest list of objects in an object."""
    lists = [value for value in parsed.values() if isinstance(value, list) and _are_rows(value)]
    return max(lists, key=len, default=None)


def _are_rows(items: list[Any]) -> bool:
    return len(items) > 1 and all(isinstance(item, dict) for item in items)


def _numbered(parsed: _Object) -> list[_Object] | None:
    """The rows of an object whose keys are steps or epochs: ``{"epoch_1": {"loss": 2.5}, ...}``."""
    places = [_NUMBERED.fullmatch(key) for key in parsed]
    if len(parsed) < 2 or not all(places) or not _are_rows(list(parsed.values())):  # noqa: PLR2004
        return None
    name = "epoch" if "epoch" in next(iter(parsed)).lower() else "step"
    return [{name: int(place[1]), **row} for place, row in zip(places, parsed.values(), strict=True) if place]


def rows_of(items: Iterator[Any]) -> Iterator[Any]:
    """Yield the rows of a document of several objects; of one object, those that it holds. Other items pass through."""
    first: list[Any] = []  # what waits until a second object comes
    objects = 0
    for item in items:
        objects += isinstance(item, dict)
        if objects <= 1:
            first.append(item)
            continue
        yield from first
        first = []
        yield item
    for item in first:
        held = rows_in(item) if isinstance(item, dict) else None
        yield from [item] if held is None else held
