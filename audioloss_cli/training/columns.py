"""What has waited, as columns: series for the monitors, which take many points in a row for a fraction."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from audioloss_cli.model import MISSING, Series
from audioloss_cli.model.point import GRAD_NORM, OWN_CODEBOOK, TEXT, TOTAL
from audioloss_cli.training.calm import Parts, Short, Waiting, named
from audioloss_cli.training.slots import CODEBOOKS

_Row = TypeVar("_Row", bound=tuple[Any, ...])
_NO_PARTS: Parts = ([], None, None, None)


class Chunk(NamedTuple):
    """Points of a series, and what stands beside it: by name one value a point, ``MISSING`` for none."""

    series: Series
    beside: Mapping[str, Sequence[float]]


def audio_of(rows: Sequence[Short]) -> Chunk:
    """The audio losses of these steps."""
    steps, times, values, parts = zip(*rows, strict=True)
    return Chunk(Series("", steps, values, times), _beside([each or _NO_PARTS for each in parts]) if any(parts) else {})


def codebooks_of(rows: Sequence[Short]) -> Iterator[tuple[str, Chunk]]:
    """The losses of each codebook by name, with those of all beside them; each step has some."""
    for _, alike in groupby(rows, lambda row: len(row[3][0]) if row[3] else 0):
        steps, times, _, parts = zip(*alike, strict=True)
        columns = dict(zip(CODEBOOKS, zip(*(each[0] for each in parts), strict=True), strict=False))
        beside = {**columns, **_beside(parts)}
        for number, (name, column) in enumerate(columns.items()):
            own = [float(number)] * len(steps)
            yield name, Chunk(Series("", steps, column, times), {**beside, OWN_CODEBOOK: own})


def losses_between(
    since: int, to: int, waiting: Sequence[Waiting], points: Sequence[_Row], totals: Sequence[_Row]
) -> tuple[list[float], list[float]]:
    """Audio losses and totals of the steps after ``since`` up to ``to``: of those that wait, and before them."""
    rows = [named(row[2], row[3]) for row in _between(waiting, since, to)]
    audio, whole = ([row[name] for row in rows if name in row] for name in ("audio", TOTAL))
    before = waiting[0][0] if waiting else math.inf
    return (
        audio + [row[1] for row in _between(points, since, to, before)],
        whole + [row[1] for row in _between(totals, since, to, before)],
    )


def _between(rows: Sequence[_Row], since: int, to: int, before: float = math.inf) -> Iterator[_Row]:
    """The latest of them first; each begins with its step. Where that goes up, they are those of an earlier attempt."""
    for row in reversed(rows):
        if not since < row[0] < before:
            return
        before = row[0]
        if before <= to:
            yield row


def _beside(parts: Sequence[Parts]) -> dict[str, Sequence[float]]:
    """Total, text and gradient norm, where any of these steps has them."""
    _, *columns = zip(*parts, strict=True)
    return {
        name: [MISSING if each is None else each for each in column]
        for name, column in zip((TOTAL, TEXT, GRAD_NORM), columns, strict=True)
        if column.count(None) < len(column)
    }
