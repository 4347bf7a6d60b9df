"""The fast path: blocks of lines to runs of columns, and the slow path for every line that does not fit."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from audioloss_cli.model import Defect, ReadOptions
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.table import Run, Table
from audioloss_cli.readers.jsonl.choice import Choice
from audioloss_cli.readers.jsonl.lines import Block, Line
from audioloss_cli.readers.jsonl.literals import all_quoted, has_literal, quoted
from audioloss_cli.readers.jsonl.rows import RowParser
from audioloss_cli.readers.jsonl.salvage import parse_object
from audioloss_cli.readers.jsonl.shape import RunError, Shape
from audioloss_cli.readers.jsonl.shapes import Decoded, Shapes

if TYPE_CHECKING:
    from audioloss_cli.readers.jsonl.arrays import Found


class Fast:
    """Reads blocks of one file."""

    def __init__(self, rows: RowParser, table: Table, options: ReadOptions, size: int) -> None:
        """``size`` of the file in bytes, as far as it is known."""
        self._rows = rows
        self._learnt = table.learnt
        self._shapes = Shapes(table.column, options.wants)
        self._choice = Choice(self._shapes, size, arrays=options.arrays)

    @property
    def windows(self) -> bool:
        """Whether the next block had better be large."""
        return self._choice.windows is not None

    def read(self, block: Block) -> Iterator[Row | Run | Defect]:
        """All of a block in order. The table must have taken in each item before the next is asked for."""
        found = self._choice.read(block)
        if found is None:
            yield from self._by_the_line(block, 0, len(block.lines))
        elif found.lines is None:
            yield from self._by_the_array(found, slice(None), found.size)
        else:
            yield from self._in_part(block, found)

    def _in_part(self, block: Block, found: "Found") -> Iterator[Row | Run | Defect]:
        """The lines that were read by the array, and the others between them."""
        at = 0
        for first, lines in found.stretches():
            yield from self._by_the_line(block, at, first)
            at = first + lines.stop - lines.start
            yield from self._by_the_array(found, lines, at - first)
        yield from self._by_the_line(block, at, len(block))

    def _by_the_array(self, found: "Found", lines: slice, count: int) -> Iterator[Run | Defect]:
        yield from self._rows.count(count)
        yield found.rows.taken(lines).run(count)._replace(missing=found.shape.missing(self._learnt))

    def _by_the_line(self, block: Block, first: int, last: int) -> Iterator[Row | Run | Defect]:
        """Literals are put into quotes from the first line on that is refused for one: to look for them takes long."""
        lines: Sequence[bytes] = block.lines[first:last]
        for part in self._shapes.decode(lines) if lines else ():
            if part.shape is None and has_literal(lines[part.first]):
                yield from self._quoted(block, first + part.first, last)
                return
            yield from self._decoded(block, first, part)

    def _quoted(self, block: Block, first: int, last: int) -> Iterator[Row | Run | Defect]:
        for part in self._shapes.decode(all_quoted(block.lines[first:last])):
            yield from self._decoded(block, first, part)

    def _decoded(self, block: Block, first: int, part: Decoded) -> Iterator[Row | Run | Defect]:
        if part.shape is None:
            yield from self._refused(block.line(first + part.first))
        else:
            yield from self._accepted(block, first + part.first, part.shape, part.rows)

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
