"""A window on a file that only moves forward, so that memory does not grow with the file."""

import errno
import os
from io import BufferedIOBase
from stat import S_ISREG

_CHUNKS = (1 << 14, 1 << 20)  # the first one after a jump, for another may follow; then twice as much


class SlidingBuffer:
    """Bytes from ``offset`` on; what lies before it is forgotten.

    A file ends where it ended when the buffer was made: a run that still writes may append the rest of a record between
    two reads, and what was seen of it before would not fit what is seen after.

    Attributes:
        offset: absolute position in the file.
    """

    def __init__(self, stream: BufferedIOBase) -> None:
        self.offset = 0
        self._stream = stream
        self._data = b""
        self._chunk = _CHUNKS[1]
        self._start = 0  # index in _data of the byte at offset
        self._end = _size(stream)  # None where nobody knows
        self._ended = False  # nothing is left to be read

    def peek(self, size: int, after: int = 0) -> bytes:
        """The ``size`` bytes that start ``after`` bytes from here, fewer at the end of the file."""
        if self._start + after + size > len(self._data):
            self._load(after + size)
        begin = self._start + after
        return self._data[begin : begin + size]

    def holds(self, size: int) -> bool:
        """Whether so many bytes follow; of a pipe they are read to know it."""
        if self._end is None and self._start + size > len(self._data):
            self._load(size)
        return size <= self.left()

    def glance(self, offset: int, size: int) -> bytes:
        """The ``size`` bytes at an offset further on, fewer at the end of the file; a file keeps none of them here."""
        after = offset - self.offset
        if self._end is None or self._start + after + size <= len(self._data):
            return self.peek(size, after)
        reached = self.offset + len(self._data) - self._start
        self._stream.seek(offset)
        found = self._stream.read(max(min(size, self._end - offset), 0))
        self._stream.seek(reached)
        return found

    @property
    def seekable(self) -> bool:
        """Whether the file allows to go on elsewhere; a pipe and a compressed file do not."""
        return self._end is not None

    def ahead(self) -> tuple[bytes, int]:
        """What was read and is not skipped yet: bytes, and the index among them of the one at ``offset``."""
        return self._data, self._start

    def seek(self, offset: int) -> None:
        """Go on elsewhere in a file that allows it."""
        self._stream.seek(offset)
        self.offset, self._data, self._start, self._chunk, self._ended = offset, b"", 0, _CHUNKS[0], False

    def fill(self, memory: memoryview) -> int:
        """Read from here on into memory that can be reused; return the bytes that there were. ``seek`` comes next."""
        self._stream.seek(self.offset)
        return self._stream.readinto(memory[: self.left()])

    def skip(self, size: int) -> None:
        """Move forward, at most to the end of what was peeked at."""
        size = min(size, len(self._data) - self._start)
        self._start += size
        self.offset += size

    def skip_hole(self, kept: int) -> None:
        """Move to ``kept`` bytes before the next byte that the file system keeps; those of a hole are all zero."""
        if self._end is None or not hasattr(os, "SEEK_DATA"):
            return
        descriptor = self._stream.fileno()
        here = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            kept_from = os.lseek(descriptor, self.offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # the file system cannot say
                return
            kept_from = self._end  # there is none
        finally:
            os.lseek(descriptor, here, os.SEEK_SET)
        target = min(kept_from, self._end) - kept
        if target > self.offset + len(self._data) - self._start:
            self.seek(target)

    def left(self) -> int:
        """Bytes from here to the end of the file; of a pipe what was read ahead."""
        if self._end is None:
            return len(self._data) - self._start
        return max(self._end - self.offset, 0)

    def _load(self, size: int) -> None:
        """Read until ``size`` bytes lie ahead or the file ends; a length no file can have costs no memory."""
        if self._ended:
            return
        kept = self._data[self._start :]
        # In proportion to what is kept, for that is copied.
        missing = max(size - len(kept), self._chunk, len(kept) // 4)
        if self._end is not None:
            missing = max(min(missing, self._end - self.offset - len(kept)), 0)
        read = self._stream.read(missing) if missing else b""
        self._data, self._start = kept + read, 0
        self._chunk = min(2 * self._chunk, _CHUNKS[1])
        self._ended = len(read) < missing or not missing
        if self._ended and self._end is not None:
            self._end = self.offset + len(self._data)  # it may have been cut meanwhile


def _size(stream: BufferedIOBase) -> int | None:
    """Bytes of a regular file; None of anything else."""
    if not stream.seekable():
        return None
    stat = os.fstat(stream.fileno())
    return stat.st_size if S_ISREG(stat.st_mode) else None
