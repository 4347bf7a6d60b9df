"""From lines to rows, with one Defect for each stretch of bad lines."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED, DefectKind
from audioloss_cli.readers._rows.row import Row, row_of
from audioloss_cli.readers.jsonl.lines import UTF8_BOM, Line
from audioloss_cli.readers.jsonl.salvage import parse_object, salvage

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
LINES_TO_LEARN_FROM = 100


class RowParser:
    """Takes the lines of a file one by one.

    Attributes:
        stopped: nothing that follows can be read; give it no more lines.
        shapes: the sets of keys of intact lines, by which rows are known in damaged ones.
        good: number of rows so far.
        parsed: the object that was the last line; None if that was a bad or a blank one.
        bad: the first and the last line of the current stretch of bad ones.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.stopped = False
        self.shapes = set[frozenset[str]]()
        self.good = 0
        self.parsed: dict[str, Any] | None = None
        self.bad: list[Line] = []

    def look_ahead(self, lines: Iterable[Line]) -> None:
        """Learn from lines that will be parsed later, so that even line 1 can be salvaged by the looks of others."""
        objects = [parse_object(line.data.removeprefix(UTF8_BOM)) for line in islice(lines, LINES_TO_LEARN_FROM)]
        self.shapes |= {frozenset(found) for found in objects if found is not None}

    def parse(self, line: Line) -> Iterator[Row | Defect]:
        """The row of an intact line, the rows that can be salvaged from a bad one. A blank line is nothing."""
        self.parsed = None
        if line.number == 1 and _is_utf16(line.data):
            self.stopped = True
            yield Defect(
                self.path, "encoding", "the text is UTF-16; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)", 0, 1
            )
        elif line.data.strip():
            yield from self._rows(line)

    def _rows(self, line: Line) -> Iterator[Row | Defect]:
        data = line.data.removeprefix(UTF8_BOM) if line.number == 1 else line.data
        self.parsed = parsed = parse_object(data)
        if parsed is None:
            self.bad = [*self.bad[:1], line]
            made = [row_of(line.number, each) for each in salvage(data, self.shapes)]
        else:
            self.shapes.add(frozenset(parsed))
            made = [row_of(line.number, parsed)]
        if made:
            yield from self.count(len(made))
        yield from made

    def count(self, rows: int) -> Iterator[Defect]:
        """Say that rows were found, here or elsewhere: a stretch of bad lines before them ends."""
        yield from self.flush()
        self.good += rows

    def flush(self) -> Iterator[Defect]:
        """The Defect of the bad lines that came last; call it at the end, too."""
        if self.bad:
            first, last = self.bad[0], self.bad[-1]
            kind, message = self._complaint(first, last)
            yield Defect(self.path, kind, message, first.offset, first.number)
            self.bad = []

    def _complaint(self, first: Line, last: Line) -> tuple[DefectKind, str]:
        count = last.number - first.number + 1
        if not self.good and count > 1:
            return "not-a-log", f"none of the {count} lines up to here is a JSON object; not JSON lines"
        if count > 1:
            return "malformed", f"lines {first.number} to {last.number} hold no JSON object; they were skipped"
        if not first.ended:
            return "truncated", f"the last line is incomplete; {UNFINISHED}"
        if not first.data.strip(b"\0\r "):
            return "malformed", "the line is NUL bytes, as a crash leaves them; it was skipped"
        try:
            first.data.decode("utf-8")
        except UnicodeDecodeError as error:
            return "encoding", f"byte {error.start + 1} of the line is not UTF-8; what could be told apart was read"
        return "malformed", "the line is not one JSON object; what could be told apart was read"


def _is_utf16(data: bytes) -> bool:
    """A byte order mark, and a zero byte in every character of a JSON row's beginning."""
    return data.startswith(_UTF16_BOMS) and b"\0" in data[2:4]
