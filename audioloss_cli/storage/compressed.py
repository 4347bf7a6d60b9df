"""The content of a file, whatever it is compressed with, in bounded memory."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BufferedReader
from typing import Any, Literal, Protocol

Compression = Literal["gzip", "zstd"] | None

_COMPRESSED_CHUNK = 1 << 12  # what 4 KiB can expand to still fits in memory, bombs included
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame of metadata, which may come first (RFC 8878)


class Readable(Protocol):
    """Where compressed bytes come from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end."""
        ...


class DamagedStreamError(Exception):
    """The compressed stream breaks off or contradicts itself."""


def compression(stream: BufferedReader) -> Compression:
    """By the first four bytes, which stay in the stream."""
    magic = stream.peek(4)[:4]  # not read and seek: a pipe cannot go back
    if magic.startswith(_GZIP):
        return "gzip"
    return "zstd" if magic == _ZSTD or _ZSTD_SKIPPABLE.fullmatch(magic) else None


def decompressed(stream: Readable, kind: Compression, chunk_bytes: Callable[[], int]) -> Iterator[bytes]:
    """The content in pieces of ``chunk_bytes``, the last aside; it is asked before each.

    Raises:
        DamagedStreamError: after what could be decompressed.
    """
    if kind == "gzip":
        yield from _gather(_inflate(stream, partial(zlib.decompressobj, wbits=31), zlib.error), chunk_bytes)
    elif kind == "zstd":
        import zstandard  # 15 ms that only .zst files need

        start = zstandard.ZstdDecompressor().decompressobj
        yield from _gather(_inflate(stream, start, zstandard.ZstdError), chunk_bytes)
    else:
        yield from iter(lambda: stream.read(chunk_bytes()), b"")


def _gather(pieces: Iterator[bytes], chunk_bytes: Callable[[], int]) -> Iterator[bytes]:
    """Pieces joined and cut: 4 KiB may come to a few bytes or to megabytes."""
    kept, size = [], 0
    try:
        for piece in pieces:
            kept.append(piece)
            size += len(piece)
            if size >= (chunk := chunk_bytes()):
                whole = b"".join(kept)
                end = size - size % chunk
                yield from (whole[start : start + chunk] for start in range(0, end, chunk))
                kept, size = [whole[end:]], size - end
    except DamagedStreamError:
        yield b"".join(kept)
        raise
    yield b"".join(kept)


def _inflate(stream: Readable, start: Callable[[], Any], failure: type[Exception]) -> Iterator[bytes]:
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
