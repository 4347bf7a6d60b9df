"""Frames of Zstandard, decoded block by block."""

import re
import sys
from collections.abc import Generator, Iterator
from typing import Any

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame of metadata, which may come first (RFC 8878)


class ZstdFrame:
    """One frame of a Zstandard file, of data or of metadata (RFC 8878).

    The decoder gives back nothing of a call that fails. It is therefore fed no more than up to the end of a block at a
    time: all blocks before a failure are given, those before a wrong checksum included.
    """

    def __init__(self) -> None:
        zstd = _module()
        self.window = 0
        self.is_complete = False
        self.rest = b""
        self._failure: type[Exception] = zstd.ZstdError
        # A file of "zstd --long=31" says how much memory it takes; less than that is touched if its content is short.
        self._decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 31})
        self._layout = self._parts()
        self._left = next(self._layout)  # bytes up to the end of a header or a block
        self._header = b""
        self._is_metadata = False
        self._missing: int | None = None  # bytes of content that are still to come, where the frame says how many

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode more of it, up to a failure.

        Raises:
            ValueError: it contradicts itself; ``rest`` is what was not looked at.
        """
        at = 0
        while at < len(data) and not self.is_complete:
            part = data[at : at + self._left]
            at += len(part)
            self._left -= len(part)
            self._header = (self._header + part)[:8]
            while not self._left and not self.is_complete:
                self._next_part()
            self.rest = data[at:]
            try:
                if not self._is_metadata:
                    content = self._decoder.decompress(part)
                    self._missing = None if self._missing is None else self._missing - len(content)
                    yield content
            except (self._failure, EOFError) as error:
                raise ValueError(str(error)) from None
            except MemoryError:
                raise ValueError("it asks for more memory than there is") from None
        if self.is_complete and self._missing:
            raise ValueError("it is shorter or longer than it says")

    def _next_part(self) -> None:
        try:
            self._left, self._header = self._layout.send(self._header), b""
        except StopIteration:
            self.is_complete = True

    def _parts(self) -> Generator[int, bytes, None]:
        """Lengths of the parts of the frame, in bytes; the first 8 bytes of each part are sent back."""
        magic = yield 4
        if SKIPPABLE.fullmatch(magic):
            self._is_metadata = True
            yield int.from_bytes((yield 4), "little")
            return
        descriptor = (yield 1)[0]
        is_single, sizes, dictionary = descriptor >> 5 & 1, descriptor >> 6, descriptor & 3
        if not is_single:
            window = (yield 1)[0]
            self.window = (8 + (window & 7)) << (7 + (window >> 3))
        yield (0, 1, 2, 4)[dictionary]
        size = yield (is_single, 2, 4, 8)[sizes]
        if size:
            self._missing = int.from_bytes(size, "little") + 256 * (len(size) == 2)  # noqa: PLR2004
        self.window = self.window or self._missing or 0
        block = 0
        while not block & 1:
            block = int.from_bytes((yield 3), "little")
            yield 1 if block >> 1 & 3 == 1 else block >> 3  # one byte stands for a block of its repetitions
        if descriptor >> 2 & 1:
            yield 4


def _module() -> Any:
    """Python's module for Zstandard, or its backport; 10 ms that only .zst files need."""
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return zstd
