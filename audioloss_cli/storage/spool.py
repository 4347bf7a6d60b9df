"""Standard input and pipes, kept in a temporary file where their names do not tell their format."""

import sys
import weakref
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from audioloss_cli.storage.log_file import LogFile

STANDARD_INPUT = "-"
_CHUNK = 1 << 20


class PipedFile(LogFile):
    """Standard input (``-``) or a pipe.

    A pipe whose name tells its format is read as it comes: until ``spool`` copies it into a temporary file, nobody sees
    anything of its content.

    Attributes:
        is_kept: whether it lies in a temporary file, and can be read again; as long as the object is there.
    """

    def __init__(self, root: str) -> None:
        super().__init__(Path(root), "standard input" if root == STANDARD_INPUT else root)
        self.is_kept = False
        self._root = root
        self._remove: Any = None

    @property
    def is_named_archive(self) -> bool:
        """Whether its name, or else its first bytes, are those of an archive of files."""
        return super().is_named_archive or (self.is_kept and self.is_archive_by_content)

    @cached_property
    def raw_head(self) -> bytes:
        """See ``LogFile``."""
        return super().raw_head if self.is_kept else b""

    @cached_property
    def _content(self) -> tuple[bytes, bool, bool]:
        return super()._content if self.is_kept else (b"", False, False)

    def close(self) -> None:
        """Remove the temporary file, if there is one."""
        if self._remove is not None:
            self._remove()

    def spool(self) -> None:
        """Copy it, once.

        Raises:
            SpillError: it does not fit on the disk.
            OSError: it cannot be opened or read.
        """
        if self.is_kept:
            return
        import shutil  # noqa: PLC0415  # 5 ms that only a pipe needs
        import tempfile  # noqa: PLC0415

        for name in ("raw_head", "head", "lines", "_content"):
            vars(self).pop(name, None)
        directory = tempfile.mkdtemp(prefix="audioloss-")
        self._remove = weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        self.path, self.is_kept = Path(directory) / "piped", True
        source = self._opened()
        try:
            with self.path.open("wb") as target:
                _copy(source, target, self.shown)
        finally:
            if self._root != STANDARD_INPUT:
                source.close()

    def _opened(self) -> IO[bytes]:
        if self._root != STANDARD_INPUT:
            return Path(self._root).open("rb")
        if sys.stdin is None:
            raise OSError("it is closed")
        return sys.stdin.buffer


def _copy(source: IO[bytes], target: IO[bytes], shown: str) -> None:
    """Copy everything.

    Raises:
        SpillError: it does not fit where it is to go.
        OSError: it cannot be read.
    """
    while data := source.read(_CHUNK):
        try:
            target.write(data)
            target.flush()
        except OSError as error:
            from audioloss_cli.storage.spill_file import SpillError  # noqa: PLC0415

            raise SpillError(
                f"{shown}: cannot be kept in a temporary file: {error.strerror or error}; "
                "name a directory with more room in the environment variable TMPDIR"
            ) from None
