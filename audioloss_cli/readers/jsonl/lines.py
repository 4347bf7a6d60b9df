"""The lines of a file, whatever it is compressed with, in bounded memory."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from audioloss_cli.records import Defect

_CHUNK = 1 << 20
_COMPRESSED_CHUNK = 1 << 12  # what 4 KiB can expand to still fits in memory, bombs included
_LONGEST_LINE = 64 << 20
_HEAD_BYTES, _HEAD_CHUNKS = 1 << 16, 4
_GZIP, _ZSTD, _UTF8_BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"


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
    number, offset, rest, skipping = 1, 0, b"", False
    with path.open("rb") as stream:
        chunks = _decompressed(stream, _CHUNK)
        try:
            for chunk in chunks:
                *complete, rest = (rest + chunk).split(b"\n")
                for data in complete:
                    if not skipping:
                        yield Line(number, offset, data, ended=True)
                    number, offset, skipping = number + 1, offset + len(data) + 1, False
                if len(rest) > _LONGEST_LINE:
                    if not skipping:
                        yield Defect(
                            str(path), "malformed", "the line is longer than 64 MiB; it was skipped", offset, number
                        )
                    offset, rest, skipping = offset + len(rest), b"", True
        except DamagedStreamError as error:
            yield Defect(
                str(path), "compression", f"{error}; what could be decompressed was read", offset + len(rest), number
            )
    if rest and not skipping:
        yield Line(number, offset, rest, ended=False)


def head(path: Path, count: int) -> list[bytes]:
    """The first ``count`` lines that are not blank, of at most 64 KiB in all; fewer if there are not as many.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        try:
            data = b"".join(islice(_decompressed(stream, _HEAD_BYTES // _HEAD_CHUNKS), _HEAD_CHUNKS))[:_HEAD_BYTES]
        except DamagedStreamError:
            return []
    return list(islice((line for line in data.removeprefix(_UTF8_BOM).split(b"\n") if line.strip()), count))


def _decompressed(stream: BinaryIO, chunk_bytes: int) -> Iterator[bytes]:
    magic = stream.read(4)
    stream.seek(0)
    if magic.startswith(_GZIP):
        yield from _inflate(stream, _gzip_member)
    elif magic == _ZSTD:
        yield from _inflate(stream, _zstd_frame)
    else:
        yield from iter(lambda: stream.read(chunk_bytes), b"")


def _gzip_member() -> Any:
    return zlib.decompressobj(wbits=31)


def _zstd_frame() -> Any:
    import zstandard  # 15 ms that only .zst files need

    return zstandard.ZstdDecompressor().decompressobj()


def _inflate(stream: BinaryIO, start: Callable[[], Any]) -> Iterator[bytes]:
    """Members one after the other. A stream that ends inside one is an error here, where stream readers stay silent."""
    member, fed = start(), False
    for data in iter(lambda: stream.read(_COMPRESSED_CHUNK), b""):
        rest = data
        while rest:
            yield from _feed(member, rest)
            rest, fed = member.unused_data.lstrip(b"\0") if member.eof else b"", True
            if member.eof:
                member, fed = start(), False
    if fed:
        raise DamagedStreamError("the compressed stream ends before its end mark")


def _feed(member: Any, data: bytes) -> Iterator[bytes]:
    before = member.copy() if hasattr(member, "copy") else None
    try:
        yield bytes(member.decompress(data))
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("zlib", "zstandard"):
            raise
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
