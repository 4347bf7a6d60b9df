"""What a log reader is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from audioloss_cli.records.series import Defect, Series


class Reader(Protocol):
    """One log format: a module of ``audioloss_cli/readers`` with this shape.

    Attributes:
        GROUPING: whether a run is all files of the format in one ``directory`` or each ``file`` by itself.
    """

    GROUPING: Literal["directory", "file"]

    def claims(self, path: Path) -> bool:
        """Whether the file looks like this format; opens it only when its name alone does not tell.

        Raises:
            OSError: the file had to be opened and could not be.
        """
        ...

    def read(self, path: Path) -> Iterator[Series | Defect]:
        """Every series of the file in chunks, and every defect; damaged content is never an exception.

        Raises:
            OSError: the file cannot be opened or read.
        """
        ...
