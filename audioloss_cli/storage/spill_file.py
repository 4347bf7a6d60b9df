"""A temporary file for what does not fit into memory."""

import os
import tempfile
from contextlib import suppress
from typing import IO, Any


class SpillError(Exception):
    """The points of a long log cannot be kept outside of memory; a disk is full, most often."""


class SpillFile:
    """A temporary file for what does not fit into memory; what is written stays where it is.

    Args:
        directory: where it gets a name by which another process can adopt it; none if None.

    Raises:
        SpillError: it cannot be made.
    """

    def __init__(self, directory: str | None = None) -> None:
        self.name: str | None = None
        self._directory = directory or ""
        try:
            if directory is None:
                self._directory = tempfile.gettempdir()
                self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0, prefix="audioloss-")  # noqa: SIM115
            else:
                handle, self.name = tempfile.mkstemp(dir=directory)
                self._file = os.fdopen(handle, "r+b", buffering=0)
        except OSError as error:
            raise _refusal(self._directory, error) from None
        self._end = 0

    @classmethod
    def adopt(cls, name: str) -> "SpillFile":
        """The file that another process has written; it is gone as soon as nobody reads it any more."""
        found = cls.__new__(cls)
        found.name, found._file = None, open(name, "rb", buffering=0)  # noqa: SIM115, PTH123  # kept open
        found._end = found._file.seek(0, os.SEEK_END)
        with suppress(OSError):  # some systems do not remove what is open: then with its directory
            os.unlink(name)  # noqa: PTH108
        return found

    @classmethod
    def over(cls, stream: IO[bytes]) -> "SpillFile":
        """An open file that somebody else has written and does not change any more, to be read only."""
        found = cls.__new__(cls)
        found.name, found._file = None, os.fdopen(os.dup(stream.fileno()), "rb", buffering=0)
        found._end = found._file.seek(0, os.SEEK_END)
        return found

    def __reduce__(self) -> Any:
        return SpillFile.adopt, (self.name,)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def write(self, data: bytes) -> int:
        """Put bytes behind all others; where they begin.

        Raises:
            SpillError: they do not fit on the disk.
        """
        start, rest = self._end, memoryview(data)
        try:
            self._file.seek(start)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _refusal(self._directory, error) from None
        self._end = start + len(data)
        return start

    def read(self, start: int, size: int) -> bytes:
        """These bytes; fewer where the file ends."""
        self._file.seek(start)
        found = self._file.read(size) or b""
        while len(found) < size and (more := self._file.read(size - len(found))):  # a signal may cut a read short
            found += more
        return found


def _refusal(directory: str, error: OSError) -> SpillError:
    place = directory or "no directory for temporary files"
    return SpillError(
        f"{place}: the points of a long log do not fit there: {error.strerror or error}; "
        "name a directory with more room in the environment variable TMPDIR"
    )
