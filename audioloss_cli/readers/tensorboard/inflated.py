"""A compressed event file as a stream of what was compressed."""

import io
from typing import Any

from audioloss_cli.storage.compressed import Compression, DamagedStreamError, decompressed

_PIECE_BYTES = 1 << 17
# Event files shrink to a fifth. What a hundredth is left of is no log but made to fill a machine.
_FREE_BYTES, _MOST_TIMES = 16 << 20, 50
_BEYOND_MEASURE = (
    f"it grows to more than {_MOST_TIMES} times its size, as no log does, and was read no further; "
    "decompress it and scan the file, if it is one"
)


class _Counted:
    """A stream that counts what was read of it."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.bytes = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.bytes += len(data)
        return data


class Inflated(io.RawIOBase):
    """Reads what was compressed, up to where the stream is damaged or grows beyond all measure.

    Attributes:
        damage: in words, why it ends before its end; empty as long as it does not.
        given: bytes so far.
    """

    def __init__(self, stream: io.BufferedReader, kind: Compression) -> None:
        self.damage = ""
        self.given = 0
        self._compressed = _Counted(stream)
        self._pieces = decompressed(self._compressed, kind, lambda: _PIECE_BYTES)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, memory: Any) -> int:
        """Bytes of what was compressed; none at the end, or where ``damage`` begins."""
        while not self._piece and not self.damage:
            try:
                self._piece = memoryview(next(self._pieces))
            except StopIteration:
                break
            except DamagedStreamError as error:
                self.damage = f"{error}; what could be decompressed was read"
        size = min(len(memory), len(self._piece))
        memory[:size], self._piece = self._piece[:size], self._piece[size:]
        self.given += size
        if self.given > _FREE_BYTES + _MOST_TIMES * self._compressed.bytes:
            self._piece, self.damage = memoryview(b""), _BEYOND_MEASURE
        return size
