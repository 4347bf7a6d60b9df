"""What the array found in a block."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.jsonl.arrays.columns import Rows
from audioloss_cli.readers.jsonl.arrays.places import places
from audioloss_cli.readers.jsonl.lines import Block
from audioloss_cli.readers.jsonl.shape import Shape

_NEWLINE = ord("\n")


class Found(NamedTuple):
    """What was read of a block.

    Attributes:
        shape: the kind of its lines.
        rows: those that are of this kind.
        lines: their indexes in the block, int64, ascending; None for all of its lines.
        size: how many.
    """

    shape: Shape
    rows: Rows
    lines: Any
    size: int

    @property
    def runs(self) -> int:
        """How many stretches of lines that follow each other."""
        return 1 if self.lines is None else 1 + int(np.count_nonzero(np.diff(self.lines) != 1))

    def stretches(self) -> Iterator[tuple[int, slice]]:
        """The index of the first line of each, and which of ``rows`` they are."""
        at = 0
        for first, last in stretches_of(self.lines):
            yield first, slice(at, at + last + 1 - first)
            at += last + 1 - first


def stretches_of(indexes: Any) -> Iterator[tuple[int, int]]:
    """The first and the last of indexes that follow each other."""
    cuts = np.flatnonzero(np.diff(indexes) != 1)
    firsts, lasts = indexes[np.concatenate(([0], cuts + 1))], indexes[np.concatenate((cuts, [-1]))]
    return zip(firsts.tolist(), lasts.tolist(), strict=True)


def alike_in(block: Block, markers: bytes, count: int) -> tuple[Any, list[bytes]]:
    """Of the lines that have so many markers: their indexes, and themselves, joined.

    Joined, each of them has its own markers, whatever the others are. The block is told how many lines it has.
    """
    data = b"".join(block.parts)
    both = markers if b"\n" in markers else markers + b"\n"
    window = np.frombuffer(data + bytes(-len(data) % 8), np.uint8)
    marks = places(window, both, apart=False)
    newlines = np.flatnonzero(window.take(marks) == _NEWLINE)
    ends = marks.take(newlines) + 1
    block.counted(len(ends) + (not data.endswith(b"\n")))
    alike = np.flatnonzero(np.diff(newlines, prepend=-1) - (both != markers) == count)
    starts = np.concatenate(([0], ends[:-1]))
    return alike, [data[starts[first] : ends[last]] for first, last in stretches_of(alike)] if len(alike) else []
