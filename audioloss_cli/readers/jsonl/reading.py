"""One file from its first line to its last: the slow path first, the fast one once the log is long enough."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from audioloss_cli.model import Cursor, Defect, ReadOptions, Series, series
from audioloss_cli.readers.jsonl import marks
from audioloss_cli.readers.jsonl.lines import Block, Line, LineReader, Place
from audioloss_cli.readers.jsonl.rows import LINES_TO_LEARN_FROM, Row, RowParser
from audioloss_cli.readers.jsonl.steps import choose_step
from audioloss_cli.readers.jsonl.table import Run, Table

if TYPE_CHECKING:
    from audioloss_cli.readers.jsonl.fast import Fast

_ROWS_TO_LEARN_FROM = 1000
# The slow path reads as many in the time that the fast one takes to be imported and built.
_LINES_OF_A_SMALL_LOG = 1000


class Reading:
    """Reads one file, once."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = str(path)
        self._request = options
        start = marks.place(options.since) or Place()
        self._lines = LineReader(path, start)
        self._rows = RowParser(self._path)  # the slow path, and the specification of the fast one
        self._waiting = list[Row | Defect]()  # until there are rows enough to tell the step by
        self._first_rows = 0  # among them
        self._small = start.number - 1 + _LINES_OF_A_SMALL_LOG  # the last line of a small log
        self._table: Table | None = None
        self._fast: Fast | None = None
        if options.since is not None:
            self._table = marks.resume(options.since, self._rows, self._path, options)

    def run(self) -> Iterator[Series | Defect | Cursor]:
        """All of it, in chunks.

        Raises:
            OSError: the file cannot be opened or read.
        """
        found = iter(self._lines)
        for item in self._divided(chain(self._look_ahead(found), found)):
            if isinstance(item, Defect):
                yield from self._add(self._rows.flush())
                yield from self._add([item])
            elif self._table is None or item.start.number <= self._small:
                yield from self._add(self._slow(item))
            else:
                yield from self._read_fast(item, self._table)
            if self._rows.stopped:
                break
        yield from self._end()

    def _divided(self, items: Iterable[Block | Defect]) -> Iterator[Block | Defect]:
        """Blocks, cut where the log turns out to be no small one."""
        for item in items:
            left = self._small - item.start.number + 1 if isinstance(item, Block) else 0
            if isinstance(item, Block) and 0 < left < len(item.lines):
                yield from item.split(left)
            else:
                yield item

    def _look_ahead(self, found: Iterator[Block | Defect]) -> list[Block | Defect]:
        """What has to be seen before the first line is parsed."""
        first, lines = list[Block | Defect](), list[Line]()
        while self._table is None and len(lines) < LINES_TO_LEARN_FROM and (item := next(found, None)) is not None:
            first.append(item)
            lines += item if isinstance(item, Block) else []
        self._rows.look_ahead(lines)
        return first

    def _slow(self, block: Block) -> Iterator[Row | Defect]:
        for line in block:
            yield from self._rows.parse(line)
            if self._rows.stopped:
                break

    def _read_fast(self, block: Block, table: Table) -> Iterator[Series | Defect]:
        if self._fast is None:
            from audioloss_cli.readers.jsonl.fast import Fast  # noqa: PLC0415  # 20 ms that only large files need

            self._fast = Fast(self._rows, table, self._request, self._lines.size)
        for item in self._fast.read(block):
            if isinstance(item, Run):
                table.add_run(item)
                yield from self._flush(table)
            else:
                yield from self._add([item])
        self._lines.windows = self._fast.windows

    def _add(self, items: Iterable[Row | Defect]) -> Iterator[Series | Defect]:
        for item in items:
            if self._table is None:
                self._waiting.append(item)
                self._first_rows += isinstance(item, Row)
                if self._first_rows == _ROWS_TO_LEARN_FROM:
                    yield from self._start()
            elif isinstance(item, Defect):
                yield item
            else:
                yield from self._table.add(item)
                yield from self._flush(self._table)

    def _start(self) -> Iterator[Series | Defect]:
        """Choose the step by the rows that waited, and let them in."""
        waiting, self._waiting = self._waiting, []
        column = choose_step([item for item in waiting if isinstance(item, Row)])
        self._table = Table(column, self._path, self._request.wanted)
        yield from self._add(waiting)

    def _flush(self, table: Table) -> Iterator[Series]:
        if table.points >= series.POINTS_OF_A_CHUNK:
            yield from table.flush()

    def _end(self) -> Iterator[Series | Defect | Cursor]:
        mark = None
        if self._request.mark and self._table is not None and self._lines.end is not None:
            mark = marks.make(self._lines.end, self._rows, self._table)
        yield from self._add(self._rows.flush())
        if self._table is None:
            yield from self._start()
        if self._table is not None:
            self._table.end()
            yield from self._table.flush()
        if mark is not None:
            yield mark
