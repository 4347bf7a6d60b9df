"""Log readers, one format a module or package; this says what each of them is."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from audioloss_cli.model import EVERYTHING, Cursor, Defect, Note, ReadOptions, Series
from audioloss_cli.storage.log_file import LogFile

Items = Iterator[Series | Defect | Cursor | Note]


class Reader(Protocol):
    """One log format: a module of ``audioloss_cli/readers`` with this shape.

    Its docstring has a first line that says what the format is, ``Claims:`` with the files that it takes for its own,
    and ``Example:`` with a few lines or the layout of one.

    Attributes:
        ORDER: readers with lower numbers are asked first; what a name alone tells comes before what many formats share.
        CONTINUES: whether files of one run follow each other and are read as one log; else each is a source by itself.
    """

    ORDER: int
    CONTINUES: bool

    def claims(self, file: LogFile) -> bool:
        """Tell whether the file looks like this format: by its name where that tells, else by ``file.head``.

        Raises:
            OSError: the file had to be opened and could not be.
        """
        ...

    def run_of(self, path: Path) -> Path:
        """Return what stands for the run that a file is of: its directory, one above it, or the file itself."""
        ...

    def read(self, path: Path, options: ReadOptions = EVERYTHING) -> Items:
        """Yield every series that is asked for, in chunks, and every defect; damaged content is never an exception.

        A Note says how the file was read, where the format leaves that open.

        Raises:
            OSError: the file cannot be opened or read.
        """
        ...


class RowReader(Reader, Protocol):
    """A reader of a format in which data sets, predictions and losses by sample are written as well."""

    def disclaims(self, file: LogFile) -> str:
        """Return what the rows of a file are instead of those of a training; empty if they are, or there are none.

        The reader claims no file that it disclaims, and no other reader gets one.

        Raises:
            OSError: the file had to be opened and could not be.
        """
        ...


class BatchReader(Reader, Protocol):
    """A reader that is faster with many small files than with one after the other."""

    def read_many(self, files: Iterable[tuple[Path, ReadOptions]]) -> Iterator[Items]:
        """Yield for each file what ``read`` gives, in order; each is to be gone through before the next is asked for.

        A file that cannot be opened or read is an OSError when it is its turn, and those behind it are read.
        """
        ...
