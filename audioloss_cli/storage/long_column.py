"""Columns of numbers that are too long to be kept in memory: they lie in a temporary file and are read in parts.

Whatever is done with one of them in slices, block by block, or number by number takes no more memory than a block.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from audioloss_cli.model.columns import BLOCK, blocks

if TYPE_CHECKING:
    from audioloss_cli.storage.spill_file import SpillFile

# Points of all series of a source that are kept in memory: 48 MiB of steps, values and wall times.
POINTS_IN_MEMORY = 1 << 21
_BYTES = 8  # of an int64 and of a float64
_NEAR = 1 << 12  # numbers read around a single one


class LongColumn(Sequence[Any]):
    """int64 (``q``) or float64 (``d``) numbers in a file, for as long as somebody has the column.

    A slice is an ``array.array``, a copy. A column is written by one owner and is not for several threads.
    """

    def __init__(self, file: "SpillFile", code: Literal["q", "d"], extents: Sequence[tuple[int, int]] = ()) -> None:
        self.file, self._code = file, code
        self._places: list[int] = []  # of each extent: the first byte,
        self._starts = [0]  # and the index of its first number; last, how many there are
        for place, count in extents:
            self._add(place, count)
        self._near: tuple[int, Any] = (0, array(code))

    def __reduce__(self) -> Any:
        """To another process by the name of the file, if it has one; else with all its numbers."""
        if self.file.name is None:
            return array, (self._code, self[:].tobytes())
        counts = (end - start for start, end in zip(self._starts, self._starts[1:], strict=False))
        return LongColumn, (self.file, self._code, list(zip(self._places, counts, strict=True)))

    def append(self, numbers: Any) -> None:
        """Add the numbers of an array, of the standard library or numpy's, or of any other sequence."""
        if isinstance(numbers, LongColumn) and numbers.file is self.file:  # they lie there already
            for start, end, place in zip(numbers._starts, numbers._starts[1:], numbers._places, strict=False):
                self._add(place, end - start)
            return
        for block in blocks(numbers):
            data = block.tobytes() if hasattr(block, "tobytes") else array(self._code, block).tobytes()
            self._add(self.file.write(data), len(data) // _BYTES)

    def _add(self, place: int, count: int) -> None:
        if not count:
            return
        if self._places and self._places[-1] + _BYTES * (self._starts[-1] - self._starts[-2]) == place:
            self._starts[-1] += count
            return
        self._places.append(place)
        self._starts.append(self._starts[-1] + count)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start, end, stride = index.indices(len(self))
            return self._read(start, end) if stride == 1 else self._chosen(range(start, end, stride))
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"{index} of {len(self)} numbers")
        first, near = self._near
        if not first <= place < first + len(near):
            first = place - place % _NEAR
            near = self._read(first, min(first + _NEAR, len(self)))
            self._near = (first, near)
        return near[place - first]

    def __iter__(self) -> Iterator[Any]:
        for block in blocks(self):
            yield from block

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np  # whoever asks has it

        return np.asarray(self[:], dtype)

    def _read(self, start: int, end: int) -> "array[Any]":
        found = array(self._code)
        while start < end:
            number = bisect_right(self._starts, start) - 1
            stop = min(end, self._starts[number + 1])
            place = self._places[number] + _BYTES * (start - self._starts[number])
            found.frombytes(self.file.read(place, _BYTES * (stop - start)))
            start = stop
        return found

    def _chosen(self, places: range) -> "array[Any]":
        """An even choice, read block by block; from the end, if the stride is negative."""
        upward = places if places.step > 0 else places[::-1]
        found, step = array(self._code), upward.step
        if not len(upward):
            return found
        for first in range(upward[0], upward[-1] + 1, max(BLOCK // step, 1) * step):
            found += self._read(first, min(first + max(BLOCK // step, 1) * step, upward[-1] + 1))[::step]
        return found if places.step > 0 else found[::-1]
