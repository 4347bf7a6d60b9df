"""Standard input and pipes, kept in a temporary file where their names do not tell their format."""

import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from audioloss_cli.storage.log_file import LogFile

STANDARD_INPUT = "-"
_CHUNK = 1 << 20


class PipedFile(LogFile):
    """Standard input (``-``) or a pipe.

    A pipe whose name tells its format is read as it comes: until ``spool`` copies it into a temporary file, nobody sees
    anything of its content.

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
        return b"" if self.held is None else super().raw_head

    @cached_property
    def _content(self) -> tuple[bytes, bool, bool]:
        return (b"", False, False) if self.held is None else super()._content

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
        import shutil  # noqa: PLC0415  # 5 ms that only a pipe needs
        import tempfile  # noqa: PLC0415

        from audioloss_cli.storage.spill_file import SpillError  # noqa: PLC0415

        for name in ("raw_head", "head", "lines", "_content"):
            vars(self).pop(name, None)
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
