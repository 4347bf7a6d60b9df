"""Standard input and pipes: what can be read once is kept in a temporary file as soon as somebody looks into it."""

import shutil
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from audioloss_cli.storage.log_file import LogFile
from audioloss_cli.storage.spill_file import SpillError

STANDARD_INPUT = "-"
_CHUNK = 1 << 20


class PipedFile(LogFile):
    """Standard input (``-``) or a pipe.

    A pipe whose name tells its format is read as it comes; it is copied into a temporary file only if a reader asks for
    its first bytes.

    Attributes:
        held: keeps the temporary file while it is kept; None if there is none.
    """

    def __init__(self, root: str) -> None:
        super().__init__(Path(root), "standard input" if root == STANDARD_INPUT else root)
        self.held: Any = None
        self._root = root
        if root == STANDARD_INPUT:
            self.spool()

    @cached_property
    def raw_head(self) -> bytes:
        """See ``LogFile``."""
        self.spool()
        return super().raw_head

    @cached_property
    def _content(self) -> tuple[bytes, bool, bool]:
        self.spool()
        return super()._content

    def close(self) -> None:
        """Remove the temporary file, if there is one."""
        if self.held is not None:
            self.held.cleanup()

    def spool(self) -> None:
        """Copy it, once.

        Raises:
            SpillError: it does not fit on the disk.
            OSError: it cannot be opened or read.
        """
        if self.held is not None:
            return
        self.held = tempfile.TemporaryDirectory(prefix="audioloss-", ignore_cleanup_errors=True)
        self.path = Path(self.held.name) / "piped"
        source = sys.stdin.buffer if self._root == STANDARD_INPUT else Path(self._root).open("rb")  # noqa: SIM115
        with self.path.open("wb") as target:
            try:
                shutil.copyfileobj(source, target, _CHUNK)
            except OSError as error:
                raise SpillError(
                    f"{self.shown}: cannot be kept in {self.held.name}: {error.strerror or error}; "
                    "name a directory with more room in the environment variable TMPDIR"
                ) from None
            finally:
                if self._root != STANDARD_INPUT:
                    source.close()
