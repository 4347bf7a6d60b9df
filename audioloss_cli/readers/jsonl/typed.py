"""The fast way: stretches of lines that are alike, decoded without a step of Python between them.

``rows.py`` is the specification, and takes every line that no type of row known so far accepts.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from audioloss_cli.model import Defect, Series
from audioloss_cli.readers._json import parse_object
from audioloss_cli.readers._rows import Row, RowCollector
from audioloss_cli.readers._rows.packed import Chosen
from audioloss_cli.readers._rows.row import RUN_KEYS
from audioloss_cli.readers._rows.table import Run
from audioloss_cli.readers.jsonl.kinds import Clock, Kind, Leaf, Tree, UnfitError, describe, leaves
from audioloss_cli.readers.jsonl.literals import has_literal, quoted
from audioloss_cli.readers.jsonl.row_type import Columns, RowType, RowTypeError
from audioloss_cli.readers.jsonl.rows import RowParser
from audioloss_cli.storage.lines import Block, Line

# Speculation is bounded: no more types than this are built or tried for a line, however odd the file.
_MOST_TYPES, _MOST_BUILT, _MOST_TRIES, _MOST_LOOKS = 32, 256, 4, 1024
_ROWS_TO_PART = 256  # at a time by their runs, of which each may have one of its own
_ROWS_FOR_WORDS = 64  # that tell which few words the texts are
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError)


class TypedReader:
    """Reads blocks of one file behind its first rows."""

    def __init__(self, rows: RowParser, collector: RowCollector, wants: Callable[[str], bool]) -> None:
        assert collector.column is not None  # noqa: S101  # the first rows have told
        self._rows = rows
        self._collector = collector
        self._learnt = collector.learnt
        self._column = collector.column
        self._wants = wants
        self._types = list[RowType]()  # the most recent first
        self._built = 0
        self._narrowed = set[RowType]()  # types of which it was seen whether their texts are few words
        self._seen: dict[object, int] = {}  # how often a row of such looks came

    def read(self, block: Block) -> Iterator[Series | Defect]:
        """Yield what all lines of a block make ready, in order: stretches of one type together, others one by one."""
        lines, at, are_quoted = block.lines, 0, False
        while at < len(lines):
            row_type, rows = self._stretch(lines, at)
            if row_type is None and not are_quoted and has_literal(lines[at]):
                lines, are_quoted = [*lines[:at], *map(quoted, lines[at:])], True
                row_type, rows = self._stretch(lines, at)
            if row_type is None:
                yield from self._refused(block.line(at))
                at += 1
                continue
            yield from self._taken(block, row_type, rows, at)
            at += len(rows)

    def _taken(self, block: Block, row_type: RowType, rows: Sequence[Any], at: int) -> Iterator[Series | Defect]:
        """Let in rows of the lines from ``at`` on; those that are not of the type after all are read one by one."""
        for columns, size in self._parts(row_type, rows, block.start.number + at):
            if columns is None:
                yield from self._refused(block.line(at))
            else:
                yield from self._take(row_type, columns)
            at += size
        if len(rows) >= _ROWS_FOR_WORDS and row_type not in self._narrowed:
            self._narrowed.add(row_type)
            if narrow := row_type.narrowed():
                self._types.insert(0, narrow)
                del self._types[_MOST_TYPES:]

    def _stretch(self, lines: Sequence[bytes], at: int) -> tuple[RowType | None, list[Any]]:
        """The rows of the next lines up to one of another type."""
        for row_type in self._types[:_MOST_TRIES] if not lines[at].isspace() else ():
            rows = list[Any]()
            with suppress(*_REFUSALS):
                rows.extend(map(row_type.decode, map(lines.__getitem__, range(at, len(lines))) if at else lines))
            if rows and self._holds(row_type):
                self._types.remove(row_type)
                self._types.insert(0, row_type)
                return row_type, rows
        return None, []

    def _parts(self, row_type: RowType, rows: Sequence[Any], line: int) -> Iterator[tuple[Columns | None, int]]:
        """Columns of rows and how many these are; None for one that is not of the type after all."""
        try:
            yield row_type.columns(rows, line), len(rows)
        except RowTypeError:
            half = len(rows) // 2
            if not half:
                yield None, 1
                return
            yield from self._parts(row_type, rows[:half], line)
            yield from self._parts(row_type, rows[half:], line + half)

    def _take(self, row_type: RowType, columns: Columns) -> Iterator[Series | Defect]:
        """Let columns in, each row in the table of its run."""
        yield from self._rows.count(len(columns.wall_times))
        missing, runs = self._missing_in(row_type), columns.runs
        if runs is None or len(set(runs)) == 1 or not self._collector.has_runs:
            yield from self._put(row_type, columns, missing, runs[0] if runs else "")
            return
        for start in range(0, len(runs), _ROWS_TO_PART):
            here = runs[start : start + _ROWS_TO_PART]
            for run in dict.fromkeys(here):
                rows = bytes(start) + bytes(label == run for label in here) + bytes(len(runs) - start - len(here))
                yield from self._put(row_type, columns.of(rows), missing, run)

    def _put(self, row_type: RowType, columns: Columns, missing: Sequence[str], run: str) -> Iterator[Series]:
        table, times = self._collector.table_of(run), columns.wall_times
        steps = columns.steps or array("q", [table.step]) * len(times)
        table.note_nulls(row_type.nulls, steps[0], times[0])
        table.add_run(Run(times, (), steps, missing))
        beside = dict[Chosen, tuple["array[int]", "array[float]"]]()
        for key, have, values in columns.numbers:
            if have is not None and have not in beside:
                beside[have] = have.of(steps), have.of(times)
            there = (steps, times) if have is None else beside[have]
            table.put(key, there[0], values, there[1])
        yield from self._collector.flush(table)

    def _holds(self, row_type: RowType) -> bool:
        """Whether the type may still be used: what is missing is known of rows that all have the same keys alone."""
        if row_type.optional and any(map(self._learnt.has_numbers, row_type.blanks)):
            self._types.remove(row_type)
            return False
        return True

    def _missing_in(self, row_type: RowType) -> list[str]:
        """The keys whose number each of the rows says is missing."""
        version, found = row_type.missing
        if version != self._learnt.version:
            numbers = [(leaf.name, 0.0) for leaf in leaves(row_type.tree) if not leaf.is_blank]
            found = self._learnt.missing(Row(0, numbers, row_type.blanks, row_type.nulls, 0.0))
            row_type.missing = self._learnt.version, found
        return found

    def _refused(self, line: Line) -> Iterator[Series | Defect]:
        """A line as the specification reads it; a type is made with its literals in quotes."""
        made: Row | Defect | None = None
        for made in self._rows.parse(line):
            yield from self._collector.add(made)
        parsed = self._rows.parsed
        if parsed is not None and isinstance(made, Row):
            if has_literal(line.data):
                parsed = parse_object(quoted(line.data))
            if parsed is not None:
                self._learn(parsed)

    def _learn(self, parsed: dict[str, Any]) -> None:
        """Have a type for rows such as this one, from the second of them on.

        A row for which there is a type and which is still refused is looked at ever more rarely.
        """
        looks = (*parsed, *map(type, parsed.values()))
        if looks not in self._seen and len(self._seen) >= _MOST_LOOKS:
            return
        count = self._seen[looks] = self._seen.get(looks, 0) + 1
        if count > 1 and not count & (count - 1) and self._built < _MOST_BUILT:
            self._built += 1
            with suppress(UnfitError, ValueError):
                self._add(describe(parsed, self._column.key))

    def _add(self, tree: dict[str, Tree]) -> None:
        """A type of such rows; one for several kinds of rows that differ in which columns they have alone."""
        for other in self._types if self._is_harmless(tree) else ():
            if self._fixed(other.tree) == self._fixed(tree) and all(
                tree[key] == other.tree[key] for key in tree.keys() & other.tree.keys()
            ):
                self._types.remove(other)
                optional = other.optional | (tree.keys() ^ other.tree.keys())
                self._types.insert(0, RowType(other.tree | tree, optional, self._column, self._wants))
                return
        self._types.insert(0, RowType(tree, set(), self._column, self._wants))
        del self._types[_MOST_TYPES:]

    def _is_harmless(self, tree: dict[str, Tree]) -> bool:
        """Whether no number can be missing in such rows."""
        return not any(leaf.is_blank and self._learnt.has_numbers(leaf.name) for leaf in leaves(tree))

    def _fixed(self, tree: dict[str, Tree]) -> dict[str, Tree]:
        """What all rows of a type have: the step, the wall time, the run, and every null."""

        def is_fixed(leaf: Leaf) -> bool:
            is_null = leaf.kind is Kind.NULL
            return is_null or leaf.clock is not Clock.SILENT or leaf.name in (self._column.key, *RUN_KEYS)

        return {key: branch for key, branch in tree.items() if any(map(is_fixed, leaves(branch)))}
