"""A window on a file that only moves forward, so that memory does not grow with the file."""

import os
from collections.abc import Iterator
from io import BufferedReader

_CHUNKS = (1 << 14, 1 << 20)  # the first one after a jump, for another may follow; then twice as much


class SlidingBuffer:
    """Bytes from ``offset`` on; what lies before it is forgotten.

    Attributes:
        offset: absolute position in the file.
    """

    def __init__(self, stream: BufferedReader) -> None:
        self.offset = 0
        self._stream = stream
        self._data = b""
        self._chunk = _CHUNKS[1]
        self._start = 0  # index in _data of the byte at offset

    def peek(self, size: int, after: int = 0) -> bytes:
        """The ``size`` bytes that start ``after`` bytes from here, fewer at the end of the file."""
        begin = self._start + after
        if begin + size > len(self._data):
            begin = after
            self._load(after + size)
        return self._data[begin : begin + size]

    @property
    def seekable(self) -> bool:
        """Whether the file allows to go on elsewhere; a pipe does not."""
        return self._stream.seekable()

    def ahead(self) -> tuple[bytes, int]:
        """What was read and is not skipped yet: bytes, and the index among them of the one at ``offset``."""
        return self._data, self._start

    def seek(self, offset: int) -> None:
        """Go on elsewhere in a file that allows it."""
        self._stream.seek(offset)
        self.offset, self._data, self._start, self._chunk = offset, b"", 0, _CHUNKS[0]

    def fill(self, memory: memoryview) -> int:
        """Read from here on into memory that can be reused; return the bytes that there were. ``seek`` comes next."""
        self._stream.seek(self.offset)
        return self._stream.readinto(memory)

    def skip(self, size: int) -> None:
        """Move forward, at most to the end of what was peeked at."""
        size = min(size, len(self._data) - self._start)
        self._start += size
        self.offset += size

    def left(self) -> int:
        """Bytes from here to the end of the file, as large as it is now; of a pipe what was read ahead."""
        if not self.seekable:
            return len(self._data) - self._start
        return max(os.fstat(self._stream.fileno()).st_size - self.offset, 0)

    def _load(self, size: int) -> None:
        """Read until ``size`` bytes lie ahead or the file ends; a length no file can have costs no memory."""
        kept = self._data[self._start :]
        if size > self._chunk and not self.seekable:
            self._data = kept + b"".join(self._pieces(size - len(kept)))
        else:
            missing = (size if size <= self._chunk else min(size, self.left())) - len(kept)
            self._data = kept + self._stream.read(max(missing, self._chunk))
        self._chunk = min(2 * self._chunk, _CHUNKS[1])
        self._start = 0

    def _pieces(self, size: int) -> Iterator[bytes]:
        """Of a pipe nobody knows how long it is: a length that no record has costs no more than what comes."""
        while size > 0 and (piece := self._stream.read(min(size, self._chunk))):
            yield piece
            size -= len(piece)
