"""The content of a file, whatever it is compressed with, in bounded memory."""

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Any, Literal, NamedTuple, Protocol

from audioloss_cli.storage.zstd_frame import MAGIC, SKIPPABLE, ZstdFrame

Compression = Literal["gzip", "zstd"] | None

_COMPRESSED_CHUNK = 1 << 12  # what 4 KiB of gzip can expand to still fits in memory, bombs included
_GZIP = b"\x1f\x8b\x08"

# Where a member is damaged, the next is searched for from so far back: a decoder may read into it before it fails (at
# most a block, of 128 KiB). Its beginning is tried on so many bytes; that few are right by chance.
_LOOK_BACK, _TRIAL, _CONVINCING = 160 << 10, 128 << 10, 64
_MOST_TRIALS = 256
# What expands further than gzip can (1032-fold) is made to fill a disk; with a window of more than 128 MiB, which the
# decoder has to hold, less is allowed.
_UNSUSPICIOUS, _MOST_EXPANSION, _MOST_OF_LONG_WINDOWS = 128 << 20, 1100, 100


class Readable(Protocol):
    """Where compressed bytes come from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end."""
        ...


class DamagedStreamError(Exception):
    """The compressed stream breaks off or contradicts itself."""


class Damage(NamedTuple):
    """A place in a compressed stream at which something is lost.

    Attributes:
        message: what is wrong.
        starts_line: whether what follows starts a line, as far as the members before the damage tell.
    """

    message: str
    starts_line: bool = True


def compression(stream: BufferedReader) -> Compression:
    """By the first four bytes, which stay in the stream."""
    magic = stream.peek(4)[:4]  # not read and seek: a pipe cannot go back
    if magic.startswith(_GZIP):
        return "gzip"
    return "zstd" if magic == MAGIC or SKIPPABLE.fullmatch(magic) else None


def decompressed(stream: Readable, kind: Compression, chunk_bytes: Callable[[], int]) -> Iterator[bytes]:
    """Yield the content in pieces of ``chunk_bytes`` (the last aside), up to the first damage; it is asked before each.

    Raises:
        DamagedStreamError: after what could be decompressed.
    """
    for piece in pieces(stream, kind, chunk_bytes):
        if isinstance(piece, Damage):
            raise DamagedStreamError(piece.message)
        yield piece


def pieces(stream: Readable, kind: Compression, chunk_bytes: Callable[[], int]) -> Iterator[bytes | Damage]:
    """Yield the content in pieces of ``chunk_bytes``, and a Damage where some is lost; what follows starts a member."""
    if kind is None:
        yield from iter(lambda: stream.read(chunk_bytes()), b"")
    else:
        yield from _gather(_Members(stream, kind).read(), chunk_bytes)


def _gather(found: Iterator[bytes | Damage], chunk_bytes: Callable[[], int]) -> Iterator[bytes | Damage]:
    """Pieces joined and cut: 4 KiB may come to a few bytes or to megabytes."""
    kept, size = list[bytes](), 0
    for piece in found:
        if isinstance(piece, Damage):
            yield b"".join(kept)
            yield piece
            kept, size = [], 0
            continue
        kept.append(piece)
        size += len(piece)
        if size >= (chunk := chunk_bytes()):
            whole = b"".join(kept)
            end = size - size % chunk
            yield from (whole[start : start + chunk] for start in range(0, end, chunk))
            kept, size = [whole[end:]], size - end
    yield b"".join(kept)


class _Member(Protocol):
    """What decodes one member.

    Attributes:
        is_complete: whether its end was read.
        rest: of what was fed, that which does not belong to it.
        window: bytes of content that the decoder holds.
    """

    window: int

    @property
    def is_complete(self) -> bool: ...

    @property
    def rest(self) -> bytes: ...

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode more of it, up to a failure.

        Raises:
            ValueError: it contradicts itself; ``rest`` is what was not looked at.
        """
        ...


class _Members:
    """Members (of Zstandard, frames) one after the other, zeros between and after them aside.

    A stream that ends inside a member is damaged here, where stream readers stay silent.
    """

    def __init__(self, stream: Readable, kind: Literal["gzip", "zstd"]) -> None:
        self._stream = stream
        self._start: Callable[[], _Member] = _GzipMember if kind == "gzip" else ZstdFrame
        self._magic = _GZIP if kind == "gzip" else MAGIC
        self._ahead = b""  # read from the stream, and still to be decoded
        self._recent = deque[bytes](maxlen=_LOOK_BACK // _COMPRESSED_CHUNK)  # of this member, as compressed
        self._taken = self._given = 0  # bytes of compressed data, and of content
        self._trials = _MOST_TRIALS

    def read(self) -> Iterator[bytes | Damage]:
        """All content, and the damage between."""
        last, starts_line = b"\n", True
        while self._skip_zeros():
            member = self._start()
            try:
                for piece in self._content(member):
                    self._given += len(piece)
                    last = piece[-1:] or last
                    yield piece
                    self._refuse_bomb(member)
                starts_line = last == b"\n"
            except _BombError as error:
                yield Damage(str(error))
                return
            except (ValueError, EOFError) as error:
                yield Damage(_complaint(error), starts_line)
                if not self._is_at_next(member):
                    return

    def _content(self, member: _Member) -> Iterator[bytes]:
        while not member.is_complete:
            data = self._take()
            if not data:
                raise EOFError("the compressed stream ends before its end mark")
            yield from member.feed(data)
        self._ahead = member.rest + self._ahead

    def _refuse_bomb(self, member: _Member) -> None:
        most = _MOST_OF_LONG_WINDOWS if member.window > _UNSUSPICIOUS else _MOST_EXPANSION
        if self._given > max(_UNSUSPICIOUS, most * self._taken):
            raise _BombError(f"the content is more than {most} times as long as the file, which no log is")

    def _take(self) -> bytes:
        if not self._ahead:
            self._ahead = self._stream.read(_COMPRESSED_CHUNK)
        data, self._ahead = self._ahead[:_COMPRESSED_CHUNK], self._ahead[_COMPRESSED_CHUNK:]
        self._taken += len(data)
        self._recent.append(data)
        return data

    def _skip_zeros(self) -> bool:
        """Go to the next member; False at the end."""
        self._recent.clear()
        while True:
            self._ahead = self._ahead.lstrip(b"\0")
            if self._ahead:
                return True
            self._ahead = self._stream.read(_COMPRESSED_CHUNK)
            if not self._ahead:
                return False

    def _is_at_next(self, member: _Member) -> bool:
        """Go to the member behind a damaged one, whose own end may be unknown; False if there is none."""
        if member.is_complete:  # its checksum alone is wrong
            self._ahead = member.rest + self._ahead
            return True
        data, at = b"".join(self._recent) + self._ahead, 1
        while self._trials:
            at = data.find(self._magic, at)
            if at < 0:
                more = self._stream.read(_TRIAL)
                if not more:
                    break
                data, at = data[-len(self._magic) + 1 :] + more, 0
                continue
            data, at = data[at:], 1
            if len(data) < _TRIAL:
                data += self._stream.read(_TRIAL)
            if self._decodes(data[:_TRIAL]):
                self._ahead = data
                return True
        return False

    def _decodes(self, data: bytes) -> bool:
        """Whether a member starts here, rather than bytes that look like its first ones."""
        self._trials -= 1
        member, size = self._start(), 0
        try:
            for at in range(0, len(data), _COMPRESSED_CHUNK):
                for piece in member.feed(data[at : at + _COMPRESSED_CHUNK]):
                    size += len(piece)
                    if size >= _CONVINCING:
                        return True
                if member.is_complete:
                    return True
        except ValueError:
            return False
        return size > 0


def _complaint(error: Exception) -> str:
    if isinstance(error, EOFError):
        return str(error)
    return f"the compressed stream is damaged ({error}): values before this place may be wrong"


class _BombError(Exception):
    """The content is much too long for what it was made of."""


class _GzipMember:
    """One member of a gzip file."""

    window = 1 << 15

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)

    @property
    def is_complete(self) -> bool:
        return self._decoder.eof

    @property
    def rest(self) -> bytes:
        return self._decoder.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        """A chunk that fails gives nothing back; byte by byte it gives everything before the failure."""
        before = self._decoder.copy()
        try:
            yield self._decoder.decompress(data)
        except zlib.error as error:
            yield from self._up_to_damage(before, data)
            raise ValueError(str(error)) from None

    def _up_to_damage(self, decoder: Any, data: bytes) -> Iterator[bytes]:
        try:
            for index in range(len(data)):
                yield decoder.decompress(data[index : index + 1])
        except zlib.error:
            return
