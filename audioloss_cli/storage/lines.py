"""The lines of a text file, whatever it is compressed with or encoded in, in bounded memory.

``lines_of`` gives them one by one, ``LineReader`` in blocks.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from audioloss_cli.model import Defect
from audioloss_cli.model.series import DefectKind
from audioloss_cli.storage.compressed import Damage, compression, pieces
from audioloss_cli.storage.encoding import UTF8_BOM, in_utf8

_CHUNK = 1 << 17  # with what is made of it, it stays in the cache of the processor
LONGEST_LINE = 64 << 20
_GIVE_UP = 1 << 30  # of a file without a newline


class Line(NamedTuple):
    """One line without its newline: 1-based number, byte offset in the decoded text, whether a newline ended it."""

    number: int
    offset: int
    data: bytes
    ended: bool


class Place(NamedTuple):
    """Where a line starts: its 1-based number, its byte offset in the decoded text."""

    number: int = 1
    offset: int = 0


def lines_of(path: Path, *, longest: int | None = None) -> Iterator[Line | Defect]:
    r"""Yield each line of a file in UTF-8, without its newline (``\n`` or ``\r\n``) and without a byte order mark.

    A line longer than ``longest`` bytes (64 MiB), and each place at which a compressed stream is damaged, is a Defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    for item in LineReader(path, longest=longest):
        if isinstance(item, Defect):
            yield item
        else:
            for line in item:
                yield line._replace(data=line.data[:-1]) if line.data.endswith(b"\r") else line


_LINE = partial(tuple.__new__, Line)  # a named tuple's own constructor costs three times as much


def _line(number: int, offset: int, data: bytes) -> Line:
    if data.endswith(b"\n"):
        return _LINE((number, offset, data[:-1], True))
    return _LINE((number, offset, data, False))


class Block:
    """Lines that follow each other, each with the newline that ended it.

    Attributes:
        start: where the first of them starts.
        data: all of them.
    """

    def __init__(self, start: Place, data: bytes) -> None:
        self.start = start
        self.data = data
        self._reached = 0, start.offset  # an index and its byte offset

    @cached_property
    def lines(self) -> list[bytes]:
        """Each by itself."""
        return BytesIO(self.data).readlines()  # finds newlines with memchr: twice as fast as bytes.split

    @cached_property
    def count(self) -> int:
        """How many lines."""
        if "lines" in self.__dict__:
            return len(self.lines)
        # bytes.count looks at each byte, replace finds them twice as fast.
        newlines = len(self.data) - len(self.data.replace(b"\n", b""))
        return newlines + (not self.data.endswith(b"\n"))

    def __iter__(self) -> Iterator[Line]:
        """Each line with its place."""
        number, offset = self.start
        for data in self.lines:
            yield _line(number, offset, data)
            number, offset = number + 1, offset + len(data)

    def line(self, index: int) -> Line:
        """The line of an index; to ask for them in order costs no more than one pass."""
        reached, offset = self._reached if index >= self._reached[0] else (0, self.start.offset)
        offset += sum(map(len, self.lines[reached:index]))
        self._reached = index, offset
        return _line(self.start.number + index, offset, self.lines[index])

    def split(self, index: int) -> "tuple[Block, Block]":
        """The lines before an index, and the others."""
        first = b"".join(self.lines[:index])
        start = Place(self.start.number + index, self.start.offset + len(first))
        return Block(self.start, first), Block(start, self.data[len(first) :])


class LineReader:
    """All blocks of one file, from a place on.

    Attributes:
        end: after the last block, the end of the file; None if reading cannot go on there, because the file is
            compressed, not in UTF-8, or did not end in a newline.
    """

    def __init__(self, path: Path, start: Place = Place(), longest: int | None = None) -> None:  # noqa: B008  # a tuple
        self.end: Place | None = None
        self._path = path
        self._start = start
        self._longest = longest or LONGEST_LINE

    def __iter__(self) -> Iterator[Block | Defect]:
        """Every line, and a Defect for one that is too long and for each damage of a compressed stream.

        Raises:
            OSError: the file cannot be opened or read.
        """
        splitter = _Splitter(str(self._path), self._start, self._longest)
        with self._path.open("rb") as stream:
            kind = None
            if self._start.offset:
                stream.seek(self._start.offset)
            else:
                kind = compression(stream)
            for piece in in_utf8(pieces(stream, kind, lambda: _CHUNK)):
                if isinstance(piece, Damage):
                    yield from splitter.damage(piece)
                else:
                    yield from splitter.feed(piece)
                if splitter.gave_up:
                    return
            is_known = kind is None and stream.seekable()  # of a pipe nobody knows where it ends
            size = stream.tell() if is_known else 0
        yield from splitter.end()
        if is_known and splitter.is_between_lines and splitter.offset == size:
            self.end = Place(splitter.number, splitter.offset)


class _Splitter:
    """Cuts chunks into lines; ``rest`` are the pieces of the line that is not complete yet."""

    def __init__(self, path: str, start: Place, longest: int) -> None:
        self.path = path
        self.number, self.offset = start
        self.longest = longest
        self.rest = list[bytes]()
        self.held = 0  # bytes in ``rest``
        self.skipping = False
        self.skipped = 0
        self.gave_up = False
        self._is_start = not start.offset

    @property
    def is_between_lines(self) -> bool:
        return not self.held and not self.skipping

    def feed(self, chunk: bytes) -> Iterator[Block | Defect]:
        if self._is_start:
            chunk = b"".join([*self.rest, chunk])
            self.rest, self.held = [], 0
            self._is_start = len(chunk) < len(UTF8_BOM) and UTF8_BOM.startswith(chunk)
            if chunk.startswith(UTF8_BOM):
                self.offset, chunk = len(UTF8_BOM), chunk[len(UTF8_BOM) :]
            elif self._is_start:
                self.rest, self.held, chunk = [chunk], len(chunk), b""
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield from self._block(b"".join([*self.rest, memoryview(chunk)[:cut]]) if self.rest else chunk[:cut])
            self.rest, self.held, chunk = [], 0, chunk[cut:]
        if chunk:
            self.rest.append(chunk)
            self.held += len(chunk)
        if self.held > self.longest or (self.skipping and self.held):
            yield from self._skip()

    def _skip(self) -> Iterator[Defect]:
        if not self.skipping:
            yield self._defect("malformed", f"the line is longer than {_size(self.longest)}; it was skipped")
            self.skipped = 0
        self.skipped += self.held
        self.offset, self.rest, self.held, self.skipping = self.offset + self.held, [], 0, True
        if self.skipped > _GIVE_UP:
            self.gave_up = True
            yield self._defect("not-a-log", "no line ends here within 1 GiB; the rest was not read")

    def _block(self, data: bytes) -> Iterator[Block]:
        if self.skipping:
            end = data.index(b"\n") + 1
            self.number, self.offset, self.skipping, data = self.number + 1, self.offset + end, False, data[end:]
        if data:
            block = Block(Place(self.number, self.offset), data)
            yield block
            self.number, self.offset = self.number + block.count, self.offset + len(data)

    def damage(self, damage: Damage) -> Iterator[Block | Defect]:
        """Tell of it, hand over what there is of the line before it, and leave out what may be the end of a line."""
        yield self._defect("compression", f"{damage.message}; what could be decompressed was read")
        if self.held and not self.skipping:
            yield from self._block(b"".join(self.rest))
        elif self.skipping:
            self.number += 1
        self.rest, self.held, self.skipping = [], 0, not damage.starts_line

    def end(self) -> Iterator[Block]:
        if self.held and not self.skipping:
            yield Block(Place(self.number, self.offset), b"".join(self.rest))

    def _defect(self, kind: DefectKind, message: str) -> Defect:
        return Defect(self.path, kind, message, self.offset, self.number)


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"
