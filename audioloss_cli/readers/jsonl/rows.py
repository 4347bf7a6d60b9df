"""From lines to rows, with one Defect for each stretch of bad lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED, DefectKind
from audioloss_cli.readers._json import parse_object
from audioloss_cli.readers._rows.row import Row, row_of
from audioloss_cli.readers.jsonl.salvage import peeled, salvage
from audioloss_cli.storage.lines import Line

LINES_TO_LEARN_FROM = 100
_MOST_KEYS = 1 << 16
_LONGEST_KEPT = 1 << 12  # bytes of a line: what it holds is kept while the next ones are looked at
_MOST_DEFECTS = 20  # that are told one by one


class RowParser:
    """Takes the lines of a file one by one.

    Attributes:
        core: the keys that each intact row has.
        every: the keys that any has; by both, rows are known in damaged lines.
        dressed: whether most lines have colours, words before their object, or a comma behind it: that is no damage.
        good: number of rows so far.
        parsed: the object that was the last line; None if that was a bad or a blank one.
        bad: the first and the last line of the current stretch of bad ones.
        told: how many stretches of bad lines there were so far.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.core: set[str] | None = None
        self.every = set[str]()
        self.dressed = False
        self.good = 0
        self.parsed: dict[str, Any] | None = None
        self.bad: list[Line] = []
        self.told = 0
        self._last_untold = 0
        self._ahead = dict[int, dict[str, Any] | None]()  # what the lines hold that were looked at

    def look_ahead(self, lines: Iterable[Line]) -> None:
        """Learn from lines that will be parsed later, so that even line 1 can be salvaged by the looks of others."""
        plain = dressed = 0
        for line in lines:
            found = parse_object(line.data)
            if len(line.data) <= _LONGEST_KEPT:
                self._ahead[line.number] = found
            plain += found is not None
            if found is None and (found := parse_object(peeled(line.data))) is not None:
                dressed += 1
            if found is not None:
                self._note(found)
        self.dressed = dressed > max(plain, 1)

    def intact(self, line: Line) -> Row | None:
        """Return the row of a line that was looked at ahead and is plain, where no bad one comes before.

        None if it is anything else; then it has to be parsed.
        """
        parsed = None if self.bad else self._ahead.get(line.number)
        if not parsed:
            return None
        del self._ahead[line.number]
        self.parsed = parsed
        self.good += 1
        return row_of(line.number, parsed)

    def parse(self, line: Line) -> Iterator[Row | Defect]:
        """The row of an intact line, the rows that can be salvaged from a bad one. A blank line is nothing."""
        self.parsed = None
        if line.data.strip():
            yield from self._rows(line)

    def _rows(self, line: Line) -> Iterator[Row | Defect]:
        parsed = self._ahead.pop(line.number) if line.number in self._ahead else parse_object(line.data)
        if parsed is None and self.dressed:
            parsed = parse_object(peeled(line.data))
        if parsed is None:
            self.bad = [*self.bad[:1], line]
            made = [row_of(line.number, each) for each in salvage(line.data, self._is_row)]
        else:
            self.parsed = parsed
            self._note(parsed)
            made = [row_of(line.number, parsed)]
        if made:
            yield from self.count(len(made))
        yield from made

    def _note(self, parsed: dict[str, Any]) -> None:
        if self.core is None:
            self.core = set(parsed)
        if not self.core <= parsed.keys():
            self.core &= parsed.keys()
        if not parsed.keys() <= self.every and len(self.every) < _MOST_KEYS:
            self.every.update(parsed)

    def _is_row(self, parsed: dict[str, Any]) -> bool:
        """Whether an object has the keys that all rows have, and none that is of no row: no inner object has them."""
        core = self.core or set()
        return bool(core) and core <= parsed.keys() <= self.every

    def count(self, rows: int) -> Iterator[Defect]:
        """Say that rows were found, here or elsewhere: a stretch of bad lines before them ends."""
        yield from self.flush()
        self.good += rows

    def flush(self) -> Iterator[Defect]:
        """The Defect of the bad lines that came last, unless there were many before."""
        if not self.bad:
            return
        first, last = self.bad[0], self.bad[-1]
        self.bad = []
        self.told += 1
        if self.told <= _MOST_DEFECTS:
            kind, message = self._complaint(first, last)
            yield Defect(self.path, kind, message, first.offset, first.number)
        else:
            self._last_untold = last.number

    def end(self) -> Iterator[Defect]:
        """The last Defect, and one for all that were not told."""
        yield from self.flush()
        if self.told > _MOST_DEFECTS:
            message = f"{self.told - _MOST_DEFECTS} more stretches of lines hold no JSON object; they were skipped"
            yield Defect(self.path, "malformed", message, line=self._last_untold)

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
