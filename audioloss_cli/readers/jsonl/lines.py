"""The lines of a file, whatever it is compressed with, in bounded memory."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from audioloss_cli.records import Defect
from audioloss_cli.records.series import DefectKind

_CHUNK = 1 << 20
_COMPRESSED_CHUNK = 1 << 12  # what 4 KiB can expand to still fits in memory, bombs included
_LONGEST_LINE = 64 << 20
_HEAD_BYTES = 1 << 16
_LINES_TO_JUDGE_BY = 2
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame of metadata, which may come first (RFC 8878)
UTF8_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line without its newline: 1-based number, byte offset once decompressed, whether a newline ended it."""

    number: int
    offset: int
    data: bytes
    ended: bool


class DamagedStreamError(Exception):
    """The compressed stream breaks off or contradicts itself."""


def read_lines(path: Path) -> Iterator[Line | Defect]:
    """Every line, a Defect for one that is too long, and a last Defect when the compressed stream is damaged.

    Raises:
        OSError: the file cannot be opened or read.
    """
    damage = ""
    splitter = _Splitter(str(path))
    with path.open("rb") as stream:
        try:
            for chunk in _decompressed(stream, _CHUNK):
                yield from splitter.feed(chunk)
        except DamagedStreamError as error:
            damage = str(error)
    yield from splitter.end(damage)


class _Splitter:
    """Cuts chunks into lines; ``rest`` is the line that is not complete yet."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.number, self.offset = 1, 0
        self.rest = b""
        self.skipping = False

    def feed(self, chunk: bytes) -> Iterator[Line | Defect]:
        *complete, self.rest = (self.rest + chunk).split(b"\n")
        for data in complete:
            if not self.skipping:
                yield Line(self.number, self.offset, data, ended=True)
            self.number, self.offset, self.skipping = self.number + 1, self.offset + len(data) + 1, False
        if len(self.rest) > _LONGEST_LINE:
            if not self.skipping:
                yield self.defect("malformed", "the line is longer than 64 MiB; it was skipped")
            self.offset, self.rest, self.skipping = self.offset + len(self.rest), b"", True

    def end(self, damage: str) -> Iterator[Line | Defect]:
        if damage:
            yield self.defect("compression", f"{damage}; what could be decompressed was read")
        if self.rest and not self.skipping:
            yield Line(self.number, self.offset, self.rest, ended=False)

    def defect(self, kind: DefectKind, message: str) -> Defect:
        return Defect(self.path, kind, message, self.offset, self.number)


def head(path: Path, count: int) -> list[bytes]:
    """The first ``count`` lines that are not blank, of at most 64 KiB in all; fewer if there are not as many.

    Raises:
        DamagedStreamError: the file is compressed and damaged before the end of its second line.
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        pieces = _decompressed(stream, _HEAD_BYTES)
        data = next(pieces, b"")[:_HEAD_BYTES]
        if data.count(b"\n") < _LINES_TO_JUDGE_BY:
            next(pieces, None)  # raises if there is damage
    return list(islice((line for line in data.removeprefix(UTF8_BOM).split(b"\n") if line.strip()), count))


def _decompressed(stream: BufferedReader, chunk_bytes: int) -> Iterator[bytes]:
    """The content in pieces of about ``chunk_bytes``."""
    magic = stream.peek(4)[:4]  # not read and seek: a pipe cannot go back
    if magic.startswith(_GZIP):
        yield from _gather(_inflate(stream, partial(zlib.decompressobj, wbits=31), zlib.error), chunk_bytes)
    elif magic == _ZSTD or _ZSTD_SKIPPABLE.fullmatch(magic):
        import zstandard  # 15 ms that only .zst files need

        start = zstandard.ZstdDecompressor().decompressobj
        yield from _gather(_inflate(stream, start, zstandard.ZstdError), chunk_bytes)
    else:
        yield from iter(lambda: stream.read(chunk_bytes), b"")


def _gather(pieces: Iterator[bytes], chunk_bytes: int) -> Iterator[bytes]:
    """Small pieces joined: a long line is put together once a chunk, not once a piece."""
    kept, size = [], 0
    try:
        for piece in pieces:
            kept.append(piece)
            size += len(piece)
            if size >= chunk_bytes:
                yield b"".join(kept)
                kept, size = [], 0
    except DamagedStreamError:
        yield b"".join(kept)
        raise
    yield b"".join(kept)


def _inflate(stream: BinaryIO, start: Callable[[], Any], failure: type[Exception]) -> Iterator[bytes]:
    """Members one after the other, zeros between and after them aside.

    A stream that ends inside a member is an error here, where stream readers stay silent.
    """
    member = None
    for data in iter(lambda: stream.read(_COMPRESSED_CHUNK), b""):
        rest = data
        while rest := (rest.lstrip(b"\0") if member is None else rest):
            member = member or start()
            yield from _feed(member, rest, failure)
            rest, member = (member.unused_data, None) if member.eof else (b"", member)
    if member is not None:
        raise DamagedStreamError("the compressed stream ends before its end mark")


def _feed(member: Any, data: bytes, failure: type[Exception]) -> Iterator[bytes]:
    before = member.copy() if hasattr(member, "copy") else None
    try:
        yield bytes(member.decompress(data))
    except failure as error:
        if before is not None:
            yield from _up_to_damage(before, data)
        raise DamagedStreamError(
            f"the compressed stream is damaged ({error}): values before this place may be wrong"
        ) from None


def _up_to_damage(member: Any, data: bytes) -> Iterator[bytes]:
    """A chunk that fails gives nothing back; byte by byte it gives everything before the failure."""
    with suppress(zlib.error):
        for index in range(len(data)):
            yield member.decompress(data[index : index + 1])
