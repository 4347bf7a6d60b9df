"""Many flat rows at once, column by column, where that gives what row by row gives."""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, compress
from typing import Any

from audioloss_cli.model import MISSING, Series
from audioloss_cli.readers._rows.collector import RowCollector
from audioloss_cli.readers._rows.numbers import EARLIEST, WALL_TIME_KEYS, seconds
from audioloss_cli.readers._rows.packed import Chosen, floats, integers, present
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Table

Kind = tuple[frozenset[str], frozenset[str]]  # keys with numbers, keys with nulls
Part = tuple[str, "array[int]", "array[float]", "array[float]"]  # key, steps, values, wall times
Column = Sequence[Any]  # numbers and gaps

_MOST_KINDS = 4096
_BITS = 8  # of a byte
_INVERTED = bytes([1, *bytes(255)])  # mask to the mask of the other rows


class ColumnBlocks:
    """Adds blocks of rows to the table of a collector, provided that rows of each of their kinds were added before.

    Args:
        collector: which takes all other rows, one by one; each is to be told here as well, with ``learn``.
        nulls: whether a key without a number is null in that row (a fixed column) rather than not there.
        gap: what stands in a column where a row has no number.
    """

    def __init__(self, collector: RowCollector, *, nulls: bool, gap: object = None) -> None:
        self._collector = collector
        self._nulls = nulls
        self._gap = gap
        self._kinds = set[Kind]()

    def learn(self, row: Row) -> None:
        """Take note of a row that the collector was given."""
        if row.run or len(self._kinds) >= _MOST_KINDS:
            return
        nulls = frozenset(row.nulls)
        if len(row.blanks) == len(nulls) or not any(map(self._collector.learnt.has_numbers, set(row.blanks) - nulls)):
            self._kinds.add((frozenset([key for key, _ in row.numbers]), nulls))

    def add(
        self, keys: Sequence[str], columns: Sequence[Column], line: int, times: "array[float] | None" = None
    ) -> bool:
        """Add rows, given as the columns of their keys; False if they have to be added one by one, and nothing was.

        Columns of text, of which none ever held a number, are left out. ``line`` is that of the first row; where the
        line is the step, each row has one. ``times`` are Unix seconds, if text told them.
        """
        collector = self._collector
        if collector.column is None or collector.value_key is not None or collector.table_of_all_rows is None:
            return False
        table, count = collector.table_of_all_rows, len(columns[0])
        steps = _steps(collector.column, keys, columns, range(line, line + count))
        told = _wall_times(keys, columns, count)
        if times is not None and told is not None and not all(map(math.isnan, told)):
            return False
        times = told if times is None or told is None else times
        if steps is None or times is None:
            return False
        full: dict[str, array[Any]] = {
            key: numbers
            for key, column in zip(keys, columns, strict=True)
            if (numbers := steps if key == collector.column.key else _numbers(column))
        }
        sparse = list[_Sparse]()
        try:
            for key, column in zip(keys, columns, strict=True):
                if key not in full and not any(group.takes(key, column) for group in sparse):
                    sparse.append(_Sparse(key, column, self._gap))
            missing = self._missing(table, keys, full, sparse)
            if missing is None:
                return False
            parts = [part for group in sparse for part in group.parts(steps, times, missing)]
        except (TypeError, OverflowError):
            return False
        parts += [(key, steps, numbers, times) for key, numbers in full.items() if key != collector.column.key]
        for part in parts:
            table.put(*part)
        table.step = steps[-1]
        return True

    def flush(self) -> Iterator[Series]:
        """Yield the series so far once they are a chunk."""
        table = self._collector.table_of_all_rows
        if table is not None:
            yield from self._collector.flush(table)

    def _missing(
        self, table: Table, keys: Sequence[str], full: Iterable[str], sparse: "Sequence[_Sparse]"
    ) -> set[str] | None:
        """The keys whose number is missing in each row that has none; None if that cannot be said of whole columns."""
        missing, other = set[str](), set[str]()
        for has in _combinations([group.mask for group in sparse]):
            here = frozenset(chain(full, *compress([group.columns for group in sparse], has)))
            nulls = frozenset(keys) - here if self._nulls else frozenset[str]()
            if (here, nulls) not in self._kinds:
                return None
            if nulls:
                names = [key for key in keys if key in nulls]
                told = table.learnt.missing(Row(0, [(key, 0.0) for key in here], names, names, math.nan))
                missing |= set(told)
                other |= nulls.difference(told)
        return None if missing & other else missing


class _Sparse:
    """Columns that have gaps in the same rows.

    Attributes:
        mask: a byte a row, 0 for the gaps.
        columns: keys with their columns.

    Raises:
        TypeError: what is no gap is no number.
        OverflowError: an integer does not fit.
    """

    def __init__(self, key: str, column: Column, gap: object) -> None:
        self.mask = present(column, gap)
        self.columns = {key: column}
        self._gaps = {gap}
        self._chosen, self._others = Chosen(self.mask), Chosen(self.mask.translate(_INVERTED))
        self._numbers = {key: floats(self._chosen.of(column))}

    def takes(self, key: str, column: Column) -> bool:
        """Take in a column if its gaps are the same, which is told in half of the time that its own mask takes."""
        if set(self._others.of(column)) != self._gaps:
            return False
        try:
            self._numbers[key] = floats(self._chosen.of(column))
        except TypeError:
            return False
        self.columns[key] = column
        return True

    def parts(self, steps: "array[int]", times: "array[float]", missing: set[str]) -> Iterator[Part]:
        """Yield the points of the columns; those that are missing have one in each row."""
        some_steps, some_times = self._chosen.of(steps), self._chosen.of(times)
        for key, column in self.columns.items():
            if key in missing:
                filled = [value if is_there else MISSING for value, is_there in zip(column, self.mask, strict=True)]
                yield key, steps, floats(filled), times
            elif self._chosen.any:
                yield key, some_steps, self._numbers[key], some_times


def _combinations(masks: Sequence[bytes]) -> Iterable[tuple[int, ...]]:
    """Return what the masks say of each row together, each combination once."""
    if not masks:
        return [()]
    if len(masks) > _BITS:
        return set(zip(*masks, strict=True))
    bits = sum(int.from_bytes(mask) << place for place, mask in enumerate(masks))  # a byte a row, a bit a mask
    return [tuple(one >> place & 1 for place in range(len(masks))) for one in set(bits.to_bytes(len(masks[0])))]


def _numbers(column: Column) -> "array[float] | None":
    """The column as float64; None if it has gaps, or an integer that does not fit."""
    try:
        return floats(column)
    except (TypeError, OverflowError):
        return None


def _steps(column: StepColumn, keys: Sequence[str], columns: Sequence[Column], lines: range) -> "array[int] | None":
    """The step of each row; None if one has none of its own, or one that is none."""
    if column.key is None:
        return array("q", lines)
    if column.key not in keys:
        return None
    values = columns[keys.index(column.key)]
    with suppress(TypeError):
        return integers(values)
    try:
        steps = array("q", map(math.floor, values))
    except (TypeError, ValueError, OverflowError):
        return None
    return steps if column.source != "step" or steps.tolist() == values else None


def _wall_times(keys: Sequence[str], columns: Sequence[Column], count: int) -> "array[float] | None":
    """Unix seconds of each row, NaN where no column tells; None if some rows have to be looked at one by one."""
    for key in WALL_TIME_KEYS:
        if key not in keys:
            continue
        values = columns[keys.index(key)]
        if _numbers(values) is None:
            return None
        if max(values) < EARLIEST:
            continue
        found = list(map(seconds, values))
        return None if None in found else array("d", found)  # type: ignore[arg-type]  # numbers alone are left
    return array("d", [math.nan]) * count
