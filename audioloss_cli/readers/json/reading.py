"""One document from its first object to its last."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from audioloss_cli.model import Defect, ReadOptions, Series
from audioloss_cli.model.series import UNFINISHED
from audioloss_cli.readers._rows import RowCollector, row_of
from audioloss_cli.readers.json.rows import rows_of
from audioloss_cli.readers.json.scanner import Gap, Scanner
from audioloss_cli.storage.compressed import Damage, compression, pieces
from audioloss_cli.storage.encoding import UTF8_BOM, in_utf8

_CHUNK = 1 << 18
_MOST_DEFECTS = 20  # that are told one by one


def read_document(path: Path, options: ReadOptions) -> Iterator[Series | Defect]:
    """Yield the series of all rows, and the defects.

    Raises:
        OSError: the file cannot be opened or read.
    """
    collector = RowCollector(str(path), options.wanted)
    defects = _Defects(str(path))
    rows = 0
    for item in rows_of(_items(path)):
        if isinstance(item, dict):
            rows += 1
            found = collector.add(row_of(rows, item))
        else:
            found = defects.of(item, rows)
        for one in found:
            yield _by_row(one) if isinstance(one, Defect) and item is not one and isinstance(item, dict) else one
    yield from defects.end()
    yield from map(_by_row, collector.end())


def _by_row(item: Series | Defect) -> Series | Defect:
    """A defect of a row, which is told by its number in the document."""
    if isinstance(item, Series) or item.line is None:
        return item
    return replace(item, line=None, message=f"row {item.line}: {item.message}")


def _items(path: Path) -> Iterator[dict[str, Any] | Gap | Damage]:
    scanner, is_start = Scanner(), True
    with path.open("rb") as stream:
        for piece in in_utf8(pieces(stream, compression(stream), lambda: _CHUNK)):
            if isinstance(piece, Damage):
                yield piece
                yield from scanner.feed(b"", is_end=True)
                scanner = Scanner()
                continue
            yield from scanner.feed(piece.removeprefix(UTF8_BOM) if is_start else piece)
            is_start = is_start and not piece
        yield from scanner.feed(b"", is_end=True)


class _Defects:
    def __init__(self, path: str) -> None:
        self._path = path
        self._count = 0

    def of(self, item: Gap | Damage, rows: int) -> Iterator[Defect]:
        """What to say of a place that could not be read, behind so many rows."""
        self._count += 1
        if self._count > _MOST_DEFECTS:
            return
        if isinstance(item, Damage):
            yield Defect(self._path, "compression", f"{item.message}; what could be decompressed was read")
        elif item.is_encoding:
            message = "bytes behind this place are not UTF-8; what could be told apart was read"
            yield Defect(self._path, "encoding", message, line=item.line)
        elif item.is_end and rows:
            yield Defect(self._path, "truncated", f"the document ends before its end; {UNFINISHED}", line=item.line)
        elif item.is_end:
            yield Defect(self._path, "not-a-log", "no JSON object was found from here on", line=item.line)
        else:
            message = "this is no JSON object; the text up to the next row was skipped"
            yield Defect(self._path, "malformed", message, line=item.line)

    def end(self) -> Iterator[Defect]:
        if self._count > _MOST_DEFECTS:
            message = f"{self._count - _MOST_DEFECTS} more places are no JSON objects; they were skipped"
            yield Defect(self._path, "malformed", message)
