"""One trainer_state.json: rows of known kinds at once, by their columns, and all others one by one."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from audioloss_cli.model import Defect, ReadOptions, Series
from audioloss_cli.readers._rows import RowCollector, row_of
from audioloss_cli.readers._rows.column_block import Column, ColumnBlocks
from audioloss_cli.readers._rows.complaints import Complaints
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.structs import column_of
from audioloss_cli.readers.trainer_state.document import Document, Trouble
from audioloss_cli.storage.compressed import Damage, compression, pieces
from audioloss_cli.storage.encoding import in_utf8

_PIECE = 1 << 18
_MOST_KEYS, _MOST_TYPES = 512, 64
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_STEP = StepColumn("step", "step")
_LITERAL = re.compile(rb"(?<=[\s:])(?:NaN|-?Infinity)(?=[\s,}])")


class Reading:
    """Reads one file, once."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._collector = RowCollector(str(path), options.wanted, _STEP)
        self._blocks = ColumnBlocks(self._collector, nulls=False, gap=msgspec.UNSET)
        self._complaints = Complaints(str(path))
        self._type = _RowType()
        self._is_blank = True
        self._damages = list[Damage]()
        self._rows = 0

    def run(self) -> Iterator[Series | Defect]:
        """All of it, in chunks.

        Raises:
            OSError: the file cannot be opened or read.
        """
        document = Document(self._pieces(), self._take)
        yield from self._read(document)
        if not document.histories and not self._is_blank:
            self._damages.clear()
            yield from self._read(Document(self._pieces(), self._take, anywhere=True))
            what = (
                "there is no list log_history in it"
                if not self._rows
                else "its list log_history is damaged at the start"
            )
            yield Defect(
                str(self._path), "not-a-log", f"{what}; restore the file, or take that of another checkpoint", 0
            )
        yield from self._collector.end()
        yield from self._complaints.end()
        for damage in self._damages:
            message = f"{damage.message}; what could be decompressed was read"
            yield Defect(str(self._path), "compression", message)

    def _pieces(self) -> Iterator[bytes]:
        with self._path.open("rb") as stream:
            for piece in in_utf8(pieces(stream, compression(stream), lambda: _PIECE)):
                if isinstance(piece, Damage):
                    self._damages.append(piece)
                elif piece:
                    self._is_blank = self._is_blank and not piece.strip()
                    yield piece

    def _read(self, document: Document) -> Iterator[Series | Defect]:
        for item in document.read():
            if item is None:
                yield from self._blocks.flush()
            elif isinstance(item, Trouble):
                self._complaints.add(item.kind, item.message, item.line)
            else:
                row = row_of(item.line, item.row)
                if not self._rows and not any(key == _STEP.key for key, _ in row.numbers):
                    self._start_without_step()
                self._rows += 1
                yield from self._collector.add(row)
                self._blocks.learn(row)
                if not row.blanks:
                    self._type.learn(item.row)

    def _start_without_step(self) -> None:
        """The rows are of another program, which may name the step in another way."""
        self._collector = RowCollector(str(self._path), self._options.wanted)
        self._blocks = ColumnBlocks(self._collector, nulls=False, gap=msgspec.UNSET)

    def _take(self, text: bytes, line: int) -> bool:
        """Add rows that follow each other by their columns; False if that gives something else than one by one."""
        column = self._collector.column
        if column is None or column.key is None:
            return False
        found = self._type.columns(text, column.key)
        if found is None or not found[1] or not self._blocks.add(*found, line):
            return False
        self._rows += len(found[1][0])
        return True


class _RowType:
    """A type for all rows so far that hold numbers alone."""

    def __init__(self) -> None:
        self._keys = dict[str, str]()  # to the names of fields
        self._built = 0
        self._is_new = False
        self._decode: Any = None
        self._decode_quoted: Any = None

    def learn(self, row: dict[str, Any]) -> None:
        """Take in the keys of a row of numbers."""
        if not row.keys() <= self._keys.keys() and len(self._keys) + len(row) <= _MOST_KEYS:
            for key in row:
                self._keys.setdefault(key, f"c{len(self._keys)}")
            self._is_new = True

    def columns(self, text: bytes, step: str) -> tuple[list[str], list[Column]] | None:
        """Return keys and the columns of rows with commas between, UNSET where a row lacks the key.

        None if there is a row of another kind, or without a step.
        """
        if self._is_new and self._built < _MOST_TYPES:
            self._build(step)
        if self._decode is None:
            return None
        quoted = False
        try:
            rows = self._decode(b"[" + text + b"]")
        except (msgspec.MsgspecError, ValueError, RecursionError):
            literal = _LITERAL.sub(rb'"\g<0>"', text) if b"N" in text or b"I" in text else text
            if literal == text:
                return None
            if self._decode_quoted is None:
                self._decode_quoted = self._decoder(float | str | msgspec.UnsetType, step)
            try:
                rows, quoted = self._decode_quoted(b"[" + literal + b"]"), True
            except (msgspec.MsgspecError, ValueError, RecursionError):
                return None
        columns: list[Column] = [column_of(rows, field) for field in self._keys.values()]
        if quoted:
            try:
                columns = [[_NOT_FINITE[one] if isinstance(one, str) else one for one in column] for column in columns]
            except KeyError:
                return None
        return (list(self._keys), columns) if rows else None

    def _build(self, step: str) -> None:
        self._built += 1
        self._is_new = False
        self._decode = self._decoder(float | msgspec.UnsetType, step)
        self._decode_quoted = None  # made for those who need it

    def _decoder(self, kind: Any, step: str) -> Any:
        fields = [
            (name, int if key == step else kind, msgspec.field(default=msgspec.UNSET, name=key))
            for key, name in self._keys.items()
        ]
        row = msgspec.defstruct("Row", fields, gc=False, forbid_unknown_fields=True)
        return msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]  # made a line above
