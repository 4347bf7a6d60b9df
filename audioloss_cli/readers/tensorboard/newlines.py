"""Whether a file went through a copy in text mode, which takes the bytes of a log for the ends of lines.

To prove it for a damaged record is to undo it: the checksums of the record hold again.
"""

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from typing import Literal

Copied = Literal["crlf", "lf"]

_MOST_LOST, _MOST_TRIALS = 3, 100  # carriage returns of one record
_LONGEST = 1 << 9  # bytes of a record in which they are looked for

#: What happened to the bytes, in words.
STORIES: dict[Copied, str] = {
    "crlf": r"a copy in text mode has put a carriage return before each line feed (\n became \r\n)",
    "lf": r"a copy in text mode has taken the carriage returns before line feeds away (\r\n became \n)",
}


def text_mode_copy(data: bytes, intact: Callable[[bytes], int]) -> Copied | None:
    """Which way of ending a line was made of which other, if that is what is wrong with a record.

    Args:
        data: of the file, from the start of the record on.
        intact: bytes of the intact record that data starts with, 0 if there is none.
    """
    undone = data.replace(b"\r\n", b"\n")
    size = intact(undone)
    if size and undone[:size] != data[:size]:
        return "crlf"
    return "lf" if any(map(intact, _with_returns(data[:_LONGEST]))) else None


def _with_returns(data: bytes) -> Iterator[bytes]:
    """The data with carriage returns before some of the line feeds."""
    feeds = [index for index, byte in enumerate(data) if byte == ord("\n")]
    trials = 0
    for count in range(1, _MOST_LOST + 1):
        for chosen in combinations(feeds, count):
            trials += 1
            if trials > _MOST_TRIALS:
                return
            bounds = [0, *chosen, len(data)]
            yield b"\r".join(data[begin:end] for begin, end in pairwise(bounds))
