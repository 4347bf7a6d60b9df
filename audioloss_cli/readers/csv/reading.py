"""One table from its first line to its last: whole blocks of plain numbers at once, all other lines one by one."""

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from audioloss_cli.model import Defect, ReadOptions, Series
from audioloss_cli.model.series import UNFINISHED
from audioloss_cli.readers._rows import RowCollector
from audioloss_cli.readers._rows.column_block import Column, ColumnBlocks
from audioloss_cli.readers._rows.complaints import Complaints
from audioloss_cli.readers._rows.numbers import WALL_TIME_KEYS, number, seconds
from audioloss_cli.readers.csv.blocks import cells_of, numbers_of, values_of
from audioloss_cli.readers.csv.layout import MOST_COLUMNS, Dialect, Header, layout_of, says_nothing_when_empty
from audioloss_cli.storage.lines import Block, Line, LineReader

_FEWEST_LINES = 32  # of a block that is tried as a whole: a line alone costs less than the try
_LINES_OF_THE_HEAD = 64
_LONGEST_RECORD, _MOST_LINES = 1 << 16, 64  # of a row with newlines in quotes


class Reading:
    """Reads one file, once."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._lines = LineReader(path)
        self._collector = RowCollector(str(path), options.wanted)
        self._blocks = ColumnBlocks(self._collector, nulls=True)
        self._complaints = Complaints(str(path))
        self._dialect = Dialect()
        self._header: Header | None = None
        self._open = list[Line]()  # lines of a row whose quote is not closed yet
        self._rows = 0

    def run(self) -> Iterator[Series | Defect]:
        """All of it, in chunks.

        Raises:
            OSError: the file cannot be opened or read.
        """
        is_blank = True
        for item in self._lines:
            if isinstance(item, Defect):
                yield from self._collector.add(item)
                is_blank = False
            elif self._header is not None:
                yield from self._block(item, self._header)
            elif not item.data.isspace():
                is_blank = False
                behind, self._header = self._begin(item)
                if self._header is None:
                    break
                if behind.data:
                    yield from self._block(behind, self._header)
        yield from self._end(is_blank=is_blank)

    def _begin(self, block: Block) -> tuple[Block, Header | None]:
        """Read the header; returns it with what stands below it."""
        layout = layout_of(block.lines[:_LINES_OF_THE_HEAD], self._path.name)
        if layout is None:
            return block, None
        self._dialect = layout.dialect
        if len(layout.header.names) > MOST_COLUMNS:
            more = f"the table has more than {MOST_COLUMNS} columns; those behind them were not read"
            self._complaints.add("malformed", more, block.start.number + layout.start - 1)
        return block.split(layout.start)[1], layout.header

    def _block(self, block: Block, header: Header) -> Iterator[Series | Defect]:
        """All lines at once if they are plain, else each half, and a few lines one by one."""
        if block.data.isspace():
            return
        if block.count >= _FEWEST_LINES and not self._open and self._whole(block, header):
            self._rows += block.count
            yield from self._blocks.flush()
        elif block.count >= 2 * _FEWEST_LINES:
            for half in block.split(block.count // 2):
                yield from self._block(half, self._header or header)
        else:
            yield from self._each(block, header)

    def _each(self, block: Block, header: Header) -> Iterator[Series | Defect]:
        for line in block:
            yield from self._line(line, self._header or header)

    def _whole(self, block: Block, header: Header) -> bool:
        """Add all lines at once; False if that gives something else than one by one."""
        if header.has_runs or self._collector.column is None:
            return False
        names, width = header.names, len(header.names)
        times = None
        columns: Sequence[Column] | None = numbers_of(block.data, block.count, width, self._dialect)
        if columns is None:
            cells = cells_of(block.data, width, self._dialect)
            found = self._numbers_in(cells, names) if cells else None
            if found is None:
                return False
            columns, times = found
        kept = [at for at, name in enumerate(names) if name and len(columns[at])]
        if not kept:
            return False
        return self._blocks.add([names[at] for at in kept], [columns[at] for at in kept], block.start.number, times)

    def _numbers_in(
        self, cells: Sequence[Sequence[str]], names: Sequence[str]
    ) -> tuple[list[Column], "array[float] | None"] | None:
        """The numbers of each column, empty for one of text, and the times that a column tells; None if it is mixed."""
        columns, times = list[Column](), None
        for name, column in zip(names, cells, strict=True):
            values = values_of(column, self._dialect) if name else []
            if values is None or (not values and self._collector.learnt.has_numbers(name)):
                return None
            if not values and name in WALL_TIME_KEYS:
                dates = list(map(seconds, column))
                if times is not None or None in dates:
                    return None
                times = array("d", [date for date in dates if date is not None])
            columns.append(values)
        return columns, times

    def _line(self, line: Line, header: Header) -> Iterator[Series | Defect]:
        data = line.data
        if b"\0" in data:
            self._complaints.add(
                "malformed", "the row holds zero bytes, as a crash leaves them; the rest was read", line.number
            )
            data = data.replace(b"\0", b"")
        text = data.decode("utf-8", "replace").strip("\r\n")
        if not text.strip() or text.lstrip().startswith("#"):
            return
        cells = self._cells(line._replace(data=data), text, header)
        if cells is None:
            return
        width = len(header.names)
        if header.is_repeated_by(cells):
            self._header = Header.of(cells, self._path.name)
        elif any(cells[width:]):
            trouble = "the row has more cells than the header; it was skipped; repair or remove it"
            self._complaints.add("malformed", trouble, line.number)
        else:
            yield from self._add(line, cells[:width], header)

    def _add(self, line: Line, cells: list[str], header: Header) -> Iterator[Series | Defect]:
        if len(cells) < len(header.names):
            if line.ended:
                self._complaints.add(
                    "malformed", "the row has fewer cells than the header; those that it has were read", line.number
                )
            else:
                self._complaints.add(
                    "truncated", f"the file ends inside this row; its whole cells were read; {UNFINISHED}", line.number
                )
                cells = cells[:-1]
        if any(map(_is_hit, cells)):
            self._complaints.add(
                "encoding",
                "bytes in a cell for a number are no UTF-8; the row was skipped; repair or remove it",
                line.number,
            )
            return
        values = [self._dialect.value(cell) for cell in cells]
        if any(value is not None for value in values):
            self._rows += 1
            for row in header.rows(line.number, values):
                yield from self._collector.add(row)
                self._blocks.learn(row)

    def _cells(self, line: Line, text: str, header: Header) -> list[str] | None:
        """The cells of a line, or of the row with newlines in quotes that ends in it; None if there are none yet."""
        try:
            cells = self._dialect.cells(text)
        except ValueError as error:
            cells = None
            if not self._open and text.count('"') % 2 == 0:
                self._complaints.add("malformed", f"{error}; the row was skipped; repair or remove it", line.number)
                return None
        if not self._open:
            self._open = [] if cells else [line]
            return cells
        if cells is not None and len(cells) == len(header.names):
            self._give_up()
            return cells
        self._open.append(line)
        whole = "\n".join(part.data.decode("utf-8", "replace").strip("\r\n") for part in self._open)
        if whole.count('"') % 2 and len(self._open) < _MOST_LINES and len(whole) < _LONGEST_RECORD:
            return None
        try:
            cells = self._dialect.cells(whole)
        except ValueError:
            self._give_up()
            return None
        self._open = []
        return cells

    def _give_up(self) -> None:
        """Skip the lines behind a quote that is not closed."""
        if self._open:
            self._complaints.add(
                "malformed", "a quote is not closed; the row was skipped; repair or remove it", self._open[0].number
            )
        self._open = []

    def _end(self, *, is_blank: bool) -> Iterator[Series | Defect]:
        self._give_up()
        path, names = str(self._path), self._header.names if self._header else []
        learnt = self._collector.learnt
        for item in self._collector.end():
            if isinstance(item, Defect) or learnt.has_numbers(item.tag) or not says_nothing_when_empty(item.tag, names):
                yield item
        yield from self._complaints.end()
        if is_blank:
            return
        if self._header is None:
            yield Defect(
                path,
                "not-a-log",
                "the first line does not name the columns; add a header such as step,audio_loss",
                None,
                1,
            )
        elif not self._rows:
            yield Defect(path, "truncated", f"there is a header and no row below it; {UNFINISHED}", None, 1)


def _is_hit(cell: str) -> bool:
    """Tell whether bytes that are no text stand in place of a number or in the midst of one."""
    return "\ufffd" in cell and (not cell.strip("\ufffd") or number(cell.replace("\ufffd", "")) is not None)
