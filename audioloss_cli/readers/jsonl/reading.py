"""One file from its first line to its last: the slow path first, the fast one once the log is long enough."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from audioloss_cli.model import Cursor, Defect, ReadOptions, Series
from audioloss_cli.readers._rows.collector import RowCollector
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.table import Run, Table
from audioloss_cli.readers.jsonl import marks
from audioloss_cli.readers.jsonl.lines import Block, Line, LineReader, Place
from audioloss_cli.readers.jsonl.rows import LINES_TO_LEARN_FROM, RowParser

if TYPE_CHECKING:
    from audioloss_cli.readers.jsonl.fast import Fast

# The slow path reads as many in the time that the fast one takes to be imported and built.
_LINES_OF_A_SMALL_LOG = 1000


class Reading:
    """Reads one file, once."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = str(path)
        self._options = options
        start = marks.place(options.since) or Place()
        self._lines = LineReader(path, start)
        self._rows = RowParser(self._path)  # the slow path, and the specification of the fast one
        self._rows_to_series = RowCollector(self._path, options.wanted)
        self._small = start.number - 1 + _LINES_OF_A_SMALL_LOG  # the last line of a small log
        self._fast: Fast | None = None
        if options.since is not None:
            self._rows_to_series.table = marks.resume(options.since, self._rows, self._path, options)

    @property
    def _table(self) -> Table | None:
        return self._rows_to_series.table

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

            self._fast = Fast(self._rows, table, self._options, self._lines.size)
        for item in self._fast.read(block):
            if isinstance(item, Run):
                table.add_run(item)
                yield from self._rows_to_series.flush(table)
            else:
                yield from self._add([item])
        self._lines.windows = self._fast.windows

    def _add(self, items: Iterable[Row | Defect]) -> Iterator[Series | Defect]:
        for item in items:
            yield from self._rows_to_series.add(item)

    def _end(self) -> Iterator[Series | Defect | Cursor]:
        mark = None
        if self._options.mark and self._table is not None and self._lines.end is not None:
            mark = marks.make(self._lines.end, self._rows, self._table)
        yield from self._add(self._rows.flush())
        yield from self._rows_to_series.end()
        if mark is not None:
            yield mark
