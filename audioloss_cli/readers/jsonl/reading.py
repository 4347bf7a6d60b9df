"""One file from its first line to its last: line by line first, by whole blocks once the log is long enough."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from audioloss_cli.model import Cursor, Defect, ReadOptions, Series
from audioloss_cli.readers._rows import Row, RowCollector
from audioloss_cli.readers.jsonl import marks
from audioloss_cli.readers.jsonl.rows import LINES_TO_LEARN_FROM, RowParser
from audioloss_cli.storage.lines import Block, Line, LineReader

if TYPE_CHECKING:
    from audioloss_cli.readers.jsonl.typed import TypedReader

# So many are read line by line in the time that the typed reader takes to be imported and built.
_LINES_OF_A_SMALL_LOG = 1000


class Reading:
    """Reads one file, once."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = str(path)
        self._options = options
        start = marks.place(options.since)
        self._lines = LineReader(path, start)
        self._rows = RowParser(self._path)  # the specification of the typed reader
        self._collector = RowCollector(self._path, options.wanted)
        self._small = start.number - 1 + _LINES_OF_A_SMALL_LOG  # the last line of a small log
        self._typed: TypedReader | None = None
        if options.since is not None:
            marks.resume(options.since, self._rows, self._collector)

    def run(self) -> Iterator[Series | Defect | Cursor]:
        """Yield all of it, in chunks.

        Raises:
            OSError: the file cannot be opened or read.
        """
        found = iter(self._lines)
        for item in self._divided(chain(self._look_ahead(found), found)):
            if isinstance(item, Defect):
                yield from self._add(self._rows.flush())
                yield from self._add([item])
            elif item.start.number <= self._small or self._collector.column is None or self._collector.value_key:
                yield from self._line_by_line(item)
            else:
                yield from self._read_typed(item)
        yield from self._end()

    def _divided(self, items: Iterable[Block | Defect]) -> Iterator[Block | Defect]:
        """Blocks, cut where the log turns out to be no small one."""
        for item in items:
            left = self._small - item.start.number + 1 if isinstance(item, Block) else 0
            if isinstance(item, Block) and 0 < left < item.count:
                yield from item.split(left)
            else:
                yield item

    def _look_ahead(self, found: Iterator[Block | Defect]) -> list[Block | Defect]:
        """What has to be seen before the first line is parsed."""
        first, lines = list[Block | Defect](), list[Line]()
        if self._collector.column is None:
            while len(lines) < LINES_TO_LEARN_FROM and (item := next(found, None)) is not None:
                first.append(item)
                lines += islice(item, LINES_TO_LEARN_FROM - len(lines)) if isinstance(item, Block) else []
            self._rows.look_ahead(lines)
        return first

    def _line_by_line(self, block: Block) -> Iterator[Series | Defect]:
        if not block.data.isspace():
            for line in block:
                row = self._rows.intact(line)
                if row is None:
                    yield from self._add(self._rows.parse(line))
                elif not self._collector.waits_with(row):
                    yield from self._collector.add(row)

    def _read_typed(self, block: Block) -> Iterator[Series | Defect]:
        if self._typed is None:
            from audioloss_cli.readers.jsonl.typed import TypedReader  # noqa: PLC0415  # 20 ms for large files alone

            self._typed = TypedReader(self._rows, self._collector, self._options.wants)
        yield from self._typed.read(block)

    def _add(self, items: Iterable[Row | Defect]) -> Iterator[Series | Defect]:
        for item in items:
            yield from self._collector.add(item)

    def _end(self) -> Iterator[Series | Defect | Cursor]:
        mark = None
        if self._options.mark and self._lines.end is not None:
            mark = marks.make(self._lines.end, self._rows, self._collector)
        yield from self._add(self._rows.end())
        yield from self._collector.end()
        if mark is not None:
            yield mark
