"""The fast path: blocks of lines to runs of columns, and the slow path for every line that does not fit."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from audioloss_cli.readers.jsonl.lines import Block, Line
from audioloss_cli.readers.jsonl.literals import all_quoted, quoted
from audioloss_cli.readers.jsonl.rows import Row, RowParser
from audioloss_cli.readers.jsonl.salvage import parse_object
from audioloss_cli.readers.jsonl.shape import RunError, Shape
from audioloss_cli.readers.jsonl.shapes import Shapes
from audioloss_cli.readers.jsonl.table import Run, Table
from audioloss_cli.records import Defect


class Fast:
    """Reads blocks of one file."""

    def __init__(self, rows: RowParser, table: Table, wants: Callable[[str], bool]) -> None:
        self._rows = rows
        self._learnt = table.learnt
        self._shapes = Shapes(table.column, wants)

    def read(self, block: Block) -> Iterator[Row | Run | Defect]:
        """All of a block in order. The table must have taken in each item before the next is asked for."""
        for part in self._shapes.decode(all_quoted(block.lines)):
            if part.shape is None:
                yield from self._refused(block.line(part.first))
            else:
                yield from self._accepted(block, part.first, part.shape, part.rows)

    def _refused(self, line: Line) -> Iterator[Row | Defect]:
        made: Row | Defect | None = None
        for made in self._rows.parse(line):
            yield made
        if self._rows.parsed is not None and isinstance(made, Row):
            data = quoted(line.data)
            parsed = self._rows.parsed if data == line.data else parse_object(data)
            if parsed is not None:
                self._shapes.learn(data, parsed, made)

    def _accepted(self, block: Block, first: int, shape: Shape, rows: Sequence[Any]) -> Iterator[Row | Run | Defect]:
        """Structs as one run, or halved until those are alone that are no part of any."""
        try:
            run = shape.run(rows, block.start.number + first)
        except RunError:
            half = len(rows) // 2
            if half:
                yield from self._accepted(block, first, shape, rows[:half])
                yield from self._accepted(block, first + half, shape, rows[half:])
            else:
                yield from self._refused(block.line(first))
            return
        yield from self._rows.count(len(rows))
        yield run._replace(missing=shape.missing(self._learnt))
