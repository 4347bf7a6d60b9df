"""By what a log is recognised without reading it."""

import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Self

_PROBED = 4096  # bytes at either end


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A log as it was.

    Attributes:
        size: bytes.
        modified: nanoseconds since 1970; None for the first ``size`` bytes of a log that goes on.
        probe: digest of the first and of the last bytes of those.
    """

    size: int
    modified: int | None
    probe: str

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """None of what is no ordinary file, or cannot be looked at: a pipe must not lose its first bytes to us."""
        try:
            stat = path.stat()
            return cls(stat.st_size, stat.st_mtime_ns, _probe(path, stat.st_size)) if S_ISREG(stat.st_mode) else None
        except OSError:
            return None

    @classmethod
    def of_part(cls, path: Path, size: int) -> Self | None:
        """The first ``size`` bytes alone."""
        try:
            return cls(size, None, _probe(path, size))
        except OSError:
            return None

    def begins(self, path: Path, size: int) -> bool:
        """Whether the log is what it was and more: its size is ``size`` now."""
        if size < self.size or (size == self.size and self.modified is not None):
            return False
        try:
            return _probe(path, self.size) == self.probe
        except OSError:
            return False


def _probe(path: Path, size: int) -> str:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        first = os.read(descriptor, min(_PROBED, size))
        os.lseek(descriptor, max(size - _PROBED, 0), os.SEEK_SET)
        last = os.read(descriptor, min(_PROBED, size))
    finally:
        os.close(descriptor)
    return blake2b(first + last, digest_size=16).hexdigest()
