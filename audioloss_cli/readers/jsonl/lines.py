"""The lines of a file, in blocks that stay in the processor's cache."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from audioloss_cli.model import Defect
from audioloss_cli.model.series import DefectKind
from audioloss_cli.storage.compressed import DamagedStreamError, compression, decompressed

_CHUNK, _WINDOW = 1 << 17, 1 << 20  # for lines one by one; for arrays, each call of which has its price
_LONGEST_LINE = 64 << 20
UTF8_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line without its newline: 1-based number, byte offset once decompressed, whether a newline ended it."""

    number: int
    offset: int
    data: bytes
    ended: bool


class Place(NamedTuple):
    """Where a line starts: its 1-based number, its byte offset once decompressed."""

    number: int = 1
    offset: int = 0


class Block:
    """Lines that follow each other, each with the newline that ended it.

    Attributes:
        start: where the first of them starts.
        parts: pieces of the lines, which join to all of them.
        size: in bytes.
    """

    def __init__(self, start: Place, parts: Sequence[bytes | memoryview]) -> None:
        self.start = start
        self.parts = parts
        self.size = sum(map(len, parts))
        self._count: int | None = None
        self._reached = 0, start.offset  # an index and its byte offset

    @cached_property
    def lines(self) -> list[bytes]:
        """Each by itself."""
        return BytesIO(b"".join(self.parts)).readlines()  # finds newlines with memchr: twice as fast as bytes.split

    def __len__(self) -> int:
        """How many lines."""
        return len(self.lines) if self._count is None else self._count

    def counted(self, count: int) -> None:
        """Take over how many lines there are, so that they need not be cut to know it."""
        self._count = count

    def __iter__(self) -> Iterator[Line]:
        """Each line with its place."""
        return map(self.line, range(len(self.lines)))

    def split(self, index: int) -> "tuple[Block, Block]":
        """The lines before an index, and the others."""
        start = Place(self.start.number + index, self.line(index).offset)
        return Block(self.start, self.lines[:index]), Block(start, self.lines[index:])

    def line(self, index: int) -> Line:
        """One line with its place; cheap if lines are asked for in order."""
        reached, offset = self._reached if self._reached[0] <= index else (0, self.start.offset)
        offset += sum(map(len, self.lines[reached:index]))
        self._reached = index, offset
        data = self.lines[index]
        ended = data.endswith(b"\n")
        return Line(self.start.number + index, offset, data[:-1] if ended else data, ended)


class LineReader:
    """All blocks of one file, from a place on.

    Attributes:
        windows: whether large blocks are of use.
        size: of the file, in bytes; 0 before the first block, and of what is no file.
        end: after the last block, the end of the file; None if reading cannot go on there, because the file is
            compressed or did not end in a newline.
    """

    def __init__(self, path: Path, start: Place = Place()) -> None:  # noqa: B008  # a tuple
        self.windows = False
        self.size = 0
        self.end: Place | None = None
        self._path = path
        self._start = start

    def __iter__(self) -> Iterator[Block | Defect]:
        """Every line, a Defect for one that is too long, and a last Defect when the compressed stream is damaged.

        Raises:
            OSError: the file cannot be opened or read.
        """
        damage = ""
        splitter = _Splitter(str(self._path), self._start)
        with self._path.open("rb") as stream:
            self.size = os.fstat(stream.fileno()).st_size
            kind = None
            if self._start.offset:
                stream.seek(self._start.offset)
            else:
                kind = compression(stream)
            try:
                for chunk in decompressed(stream, kind, lambda: _WINDOW if self.windows else _CHUNK):
                    yield from splitter.feed(chunk)
            except DamagedStreamError as error:
                damage = str(error)
        yield from splitter.end(damage)
        if kind is None and splitter.is_between_lines:
            self.end = Place(splitter.number, splitter.offset)


class _Splitter:
    """Cuts chunks into lines; ``rest`` are the pieces of the line that is not complete yet."""

    def __init__(self, path: str, start: Place) -> None:
        self.path = path
        self.number, self.offset = start
        self.rest = list[bytes]()
        self.held = 0  # bytes in ``rest``
        self.skipping = False

    @property
    def is_between_lines(self) -> bool:
        return not self.held and not self.skipping

    def feed(self, chunk: bytes) -> Iterator[Block | Defect]:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield from self.block([*self.rest, memoryview(chunk)[:cut]])
            self.rest, self.held, chunk = [], 0, chunk[cut:]
        if chunk:
            self.rest.append(chunk)
            self.held += len(chunk)
        if self.held > _LONGEST_LINE:
            if not self.skipping:
                yield self.defect("malformed", "the line is longer than 64 MiB; it was skipped")
            self.offset, self.rest, self.held, self.skipping = self.offset + self.held, [], 0, True

    def block(self, parts: Sequence[bytes | memoryview]) -> Iterator[Block]:
        if self.skipping:
            data = b"".join(parts)
            end = data.index(b"\n") + 1
            self.number, self.offset, self.skipping, parts = self.number + 1, self.offset + end, False, [data[end:]]
        block = Block(Place(self.number, self.offset), parts)
        if block.size:
            yield block
            self.number, self.offset = self.number + len(block), self.offset + block.size

    def end(self, damage: str) -> Iterator[Block | Defect]:
        if damage:
            yield self.defect("compression", f"{damage}; what could be decompressed was read")
        if self.held and not self.skipping:
            yield Block(Place(self.number, self.offset), self.rest)

    def defect(self, kind: DefectKind, message: str) -> Defect:
        return Defect(self.path, kind, message, self.offset, self.number)
