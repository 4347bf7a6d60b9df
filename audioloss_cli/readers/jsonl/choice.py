"""Whether lines are read by the array: where they are many, and as long as most are of one kind."""

import sys
from typing import TYPE_CHECKING

from audioloss_cli.readers.jsonl.lines import Block
from audioloss_cli.readers.jsonl.shape import Shape
from audioloss_cli.readers.jsonl.shapes import Shapes

if TYPE_CHECKING:
    from audioloss_cli.readers.jsonl.arrays import Found, Windows

# To import numpy takes as long as arrays save over this much of a log; to build them, if it is there.
_BYTES_WORTH_NUMPY, _BYTES_WORTH_ARRAYS = 128 << 20, 4 << 20
_SMALL_WINDOW = 1 << 16
# Speculation is bounded: where few lines are of the kind expected, ever fewer windows are tried.
_LEAST_SHARE, _LEAST_RUN, _LONGEST_PAUSE = 0.5, 8, 64


class Choice:
    """Of one file.

    Attributes:
        windows: what reads the next block by the array, if it is large enough.
    """

    def __init__(self, shapes: Shapes, size: int, *, arrays: bool) -> None:
        """``size`` in bytes, as far as it is known; ``arrays`` if numpy is worth its import anyway."""
        self.windows: Windows | None = None
        self._shapes = shapes
        self._size = size
        self._arrays = arrays
        self._known = dict[Shape, "Windows | None"]()
        self._penalty = self._pause = 0

    def read(self, block: Block) -> "Found | None":
        """The lines of a block that are read by the array, if any."""
        if block.size < _SMALL_WINDOW:
            return None
        if self.windows is None:
            self.windows = self._again(block)
            return None
        found = self.windows.read(block)
        if found is not None and found.lines is None:
            block.counted(found.size)
        self._judge(found, len(block))
        return found

    def _again(self, block: Block) -> "Windows | None":
        """Those to try next, for the kind of line that was the most common lately; None while it is not worth it."""
        there = self._arrays or "numpy" in sys.modules
        size = max(self._size, block.start.offset)
        self._pause = max(0, self._pause - 1)
        if self._pause or size < (_BYTES_WORTH_ARRAYS if there else _BYTES_WORTH_NUMPY):
            return None
        shape = self._shapes.commonest()
        if shape is not None and shape not in self._known:
            from audioloss_cli.readers.jsonl.arrays import Windows  # noqa: PLC0415  # numpy

            self._known[shape] = Windows.of(shape)
        return None if shape is None else self._known[shape]

    def _judge(self, found: "Found | None", lines: int) -> None:
        """Give up for a while where few lines were of the kind expected, or few after each other."""
        if found is not None and found.size >= _LEAST_SHARE * lines and found.size >= _LEAST_RUN * found.runs:
            self._penalty = 0
        else:
            self._pause = self._penalty = min(2 * self._penalty or 1, _LONGEST_PAUSE)
            self.windows = None
