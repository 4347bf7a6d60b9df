"""What a log reader is asked for, and how far it came."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# To import numpy takes about as long as to read this much of an event file without it.
BYTES_WORTH_ARRAYS = 8 << 20


class MarkError(ValueError):
    """A reader cannot go on from a mark: it is not one of its own. It says so before its first item."""


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
        since: where to go on; the start of the file if None. The reader itself made the mark, for the same options; it
            raises ``MarkError`` if it cannot have done.
        mark: whether a last item says where to go on later, if the reader can.
        line_patterns: regular expressions of the user over lines of console output; see ``LinePattern``.
        arrays: so much is to be read in all that importing numpy is worth it, however small this file is.
    """

    wanted: Callable[[str], bool] | None = None
    checksum: bool = True
    since: Cursor | None = None
    mark: bool = False
    arrays: bool = False
    line_patterns: tuple[str, ...] = ()

    def wants(self, tag: str) -> bool:
        """Whether the points of this tag are asked for."""
        return self.wanted is None or self.wanted(tag)


EVERYTHING = ReadOptions()
