"""What a log reader is, and what it is asked for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from audioloss_cli.model.series import Defect, Series

# To import numpy takes about as long as to read this much of an event file without it.
BYTES_WORTH_ARRAYS = 8 << 20


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader came in a file that may grow.

    Attributes:
        offset: byte at which to go on; all before it was handed over, and no point of what follows.
        state: what the reader has to remember of it, in types that JSON knows.
    """

    offset: int
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What of a file is asked for.

    Attributes:
        wanted: whether the points of a tag are; all tags if None. A tag that is not wanted is handed over without its
            points, so that its name is known.
        checksum: whether checksums of the format are verified; framing is in any case.
        since: where to go on; the start of the file if None. The reader itself made the mark, for the same options.
        mark: whether a last item says where to go on later, if the reader can.
        arrays: so much is to be read in all that importing numpy is worth it, however small this file is.
    """

    wanted: Callable[[str], bool] | None = None
    checksum: bool = True
    since: Cursor | None = None
    mark: bool = False
    arrays: bool = False

    def wants(self, tag: str) -> bool:
        """Whether the points of this tag are asked for."""
        return self.wanted is None or self.wanted(tag)


EVERYTHING = ReadOptions()


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

    def read(self, path: Path, options: ReadOptions = EVERYTHING) -> Iterator[Series | Defect | Cursor]:
        """Every series that is asked for, in chunks, and every defect; damaged content is never an exception.

        Raises:
            OSError: the file cannot be opened or read.
        """
        ...


class BatchReader(Reader, Protocol):
    """A reader that is faster with many small files than with one after the other."""

    def read_many(self, files: Iterable[tuple[Path, ReadOptions]]) -> Iterator[Iterator[Series | Defect | Cursor]]:
        """For each file what ``read`` gives, in order; each is to be gone through before the next one is asked for.

        A file that cannot be opened or read is an OSError when it is its turn, and those behind it are read.
        """
        ...
