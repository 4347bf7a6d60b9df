"""A window on a file that only moves forward, so that memory does not grow with the file."""

import os
from typing import BinaryIO

_CHUNK = 1 << 20


class SlidingBuffer:
    """Bytes from ``offset`` on; what lies before it is forgotten.

    Attributes:
        offset: absolute position in the file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.offset = 0
        self._stream = stream
        self._data = b""
        self._start = 0  # index in _data of the byte at offset

    def peek(self, size: int, after: int = 0) -> bytes:
        """The ``size`` bytes that start ``after`` bytes from here, fewer at the end of the file."""
        begin = self._start + after
        if begin + size > len(self._data):
            begin = after
            self._load(after + size)
        return self._data[begin : begin + size]

    def skip(self, size: int) -> None:
        """Move forward, at most to the end of what was peeked at."""
        size = min(size, len(self._data) - self._start)
        self._start += size
        self.offset += size

    def left(self) -> int:
        """Bytes from here to the end of the file, as large as it is now."""
        return max(os.fstat(self._stream.fileno()).st_size - self.offset, 0)

    def _load(self, size: int) -> None:
        """Read until ``size`` bytes lie ahead or the file ends; a length no file can have costs no memory."""
        kept = self._data[self._start :]
        missing = min(size, self.left()) - len(kept)
        self._data = kept + self._stream.read(max(missing, _CHUNK))
        self._start = 0
