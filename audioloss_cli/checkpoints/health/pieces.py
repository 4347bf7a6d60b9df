"""Values of stored tensors, piece by piece, through one buffer that is used again and again.

A file is read, not mapped: one that shrinks while it is read is an error that can be told, where a mapping would end
the process.
"""

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import IO, TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from audioloss_cli.checkpoints.health.elements import PARTS, Array, raw_dtype
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 1 << 19  # bytes: what was read is still in the cache of the core when it is looked at
_SLAB = 32 * PIECE  # of a tensor that is read in another order than it lies in


class UnreadableValuesError(Exception):
    """The bytes of a tensor cannot be read; the message says where and why, without the name of the tensor."""


class Axis(NamedTuple):
    """One axis of a tensor, or several that lie behind each other in memory and in the shape alike.

    Attributes:
        size: how many places it has.
        stride: elements of the file from one to the next.
        place: elements from one to the next if the tensor were contiguous.
    """

    size: int
    stride: int
    place: int


class Piece(NamedTuple):
    """Some elements of a tensor, as bits; ``values`` lies in the buffer and is overwritten by the next one.

    Attributes:
        first: ordinal of the first of them, in the order in which the tensor is read.
        values: ``[n]`` of ``raw_dtype``; of a complex tensor ``[2 * n]``, the parts in turn.
    """

    first: int
    values: Array


class Reader:
    """Reads bytes of tensors; not for several threads at once."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(PIECE))
        self._open: tuple[Path, str] | None = None
        self._files = ExitStack()
        self._stream: IO[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._files.close()

    def read(self, tensor: StoredTensor, offset: int, count: int) -> memoryview:
        """Return ``count`` bytes, at most ``PIECE``, from an offset into the file, or into the entry, of a tensor.

        Raises:
            UnreadableValuesError: they are not there, or the entry is damaged.
        """
        try:
            return self._read(tensor, offset, count)
        except (OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError, zipfile.error) as error:
            raise UnreadableValuesError(f"{tensor.file} cannot be read at byte {offset}: {error}") from error

    def _read(self, tensor: StoredTensor, offset: int, count: int) -> memoryview:
        stream = self._stream_of(tensor)
        if stream.tell() != offset:
            stream.seek(offset)
        into, filled = self._buffer[:count], 0
        while filled < count:
            got = stream.readinto(into[filled:])  # type: ignore[attr-defined]  # both kinds of streams have it
            if not got:
                raise EOFError(f"{count} bytes are asked for, and {filled} are there")
            filled += got
        return into

    def _stream_of(self, tensor: StoredTensor) -> IO[bytes]:
        if self._open != (tensor.file, tensor.entry):
            self._files.close()
            self._open = None
            if tensor.entry:
                archive = self._files.enter_context(zipfile.ZipFile(tensor.file))
                self._stream = self._files.enter_context(archive.open(tensor.entry))
            else:
                self._stream = self._files.enter_context(tensor.file.open("rb", buffering=0))
            self._open = (tensor.file, tensor.entry)
        return self._stream


def axes_of(tensor: StoredTensor) -> list[Axis]:
    """Return its axes in the order of the shape, without those that repeat what is there; joined where they may be.

    Raises:
        UnreadableValuesError: the strides are none that a tensor has.
    """
    places = contiguous_strides(tensor.shape)
    strides = places if tensor.strides is None else tensor.strides
    if len(strides) != len(places) or any(stride < 0 for stride in strides):
        raise UnreadableValuesError(f"it has the shape {list(tensor.shape)} and the strides {list(strides)}")
    axes = list[Axis]()
    for size, stride, place in zip(tensor.shape, strides, places, strict=True):
        if size == 1 or stride == 0:
            continue
        outer = axes[-1] if axes else None
        if outer and outer.stride == stride * size and outer.place == place * size:
            axes[-1] = Axis(outer.size * size, stride, place)
        else:
            axes.append(Axis(size, stride, place))
    return axes


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the elements from one place of each axis to the next, of a tensor without gaps."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def in_memory_order(axes: Sequence[Axis]) -> list[Axis]:
    """Return axes as they lie in the file, the longest stride first."""
    return sorted(axes, key=lambda axis: -axis.stride)


def span_of(axes: Sequence[Axis]) -> int:
    """Return how many elements of the file lie from the first element of a tensor to its last one."""
    return 1 + sum((axis.size - 1) * axis.stride for axis in axes)


def count_of(axes: Sequence[Axis]) -> int:
    """Return how many elements a tensor with these axes has."""
    return math.prod(axis.size for axis in axes)


def pieces(
    tensor: StoredTensor,
    reader: Reader,
    axes: Sequence[Axis] | None = None,
    first: int = 0,
    last: int | None = None,
) -> Iterator[Piece]:
    """Yield the elements of a tensor in the order in which they lie in the file, those that are repeated once.

    Args:
        tensor: of a dtype that ``raw_dtype`` knows, with elements.
        reader: whose buffer the pieces lie in.
        axes: ``in_memory_order(axes_of(tensor))``, of which the ordinals of pieces are.
        first: ordinal at which reading begins, of a tensor without gaps; of another one all is read.
        last: ordinal at which it ends.

    Raises:
        UnreadableValuesError: its bytes are not there.
    """
    if tensor.pieces:
        yield from _one_after_another(tensor, reader)
        return
    axes = in_memory_order(axes_of(tensor)) if axes is None else axes
    per = PIECE // ITEMSIZES[tensor.dtype]
    if is_dense(axes):
        last = count_of(axes) if last is None else last
        for start in range(first, last, per):
            yield Piece(start, _elements(tensor, reader, start, min(per, last - start)))
        return
    for ordinal, base, block in _blocks(axes, per, per):
        yield Piece(ordinal, _gathered(tensor, reader, base, block))


def ordered_pieces(tensor: StoredTensor, reader: Reader, axes: Sequence[Axis] | None = None) -> Iterator[Piece]:
    """Yield the elements of a tensor in the order of its shape, those that are repeated once.

    One that lies in several places comes as they do, which is its order where ``is_in_order``. The arguments are those
    of ``pieces``, with the axes in the order of the shape. A tensor that lies in another order is read once for each
    16 MiB of it.

    Raises:
        UnreadableValuesError: its bytes are not there.
    """
    if tensor.pieces:
        yield from _one_after_another(tensor, reader)
        return
    axes = axes_of(tensor) if axes is None else axes
    order = in_memory_order(axes)
    if order == list(axes):
        yield from pieces(tensor, reader, order)
        return
    per, itemsize = PIECE // ITEMSIZES[tensor.dtype], ITEMSIZES[tensor.dtype]
    for ordinal, base, slab in _blocks(axes, None, _SLAB // itemsize):
        lies = in_memory_order(slab)
        found = [_gathered(tensor, reader, base + at, block).copy() for _, at, block in _blocks(lies, per, per)]
        parts = 2 if tensor.dtype in PARTS else 1
        lying = np.concatenate(found).reshape(*(axis.size for axis in lies), parts)
        turned = lying.transpose(*(lies.index(axis) for axis in slab), len(slab)).reshape(-1)
        for start in range(0, count_of(slab), per):
            yield Piece(ordinal + start, turned[start * parts : (start + per) * parts])


def _one_after_another(tensor: StoredTensor, reader: Reader) -> Iterator[Piece]:
    """Yield the elements of a tensor that lies in several places."""
    begin = 0
    for part in tensor.pieces:
        for first, values in ordered_pieces(part, reader) if part.elements else ():
            yield Piece(begin + first, values)
        begin += part.elements


def is_dense(axes: Sequence[Axis]) -> bool:
    """Tell whether elements with these axes, in the order of memory, have no gaps between them and do not overlap."""
    return span_of(axes) == count_of(axes) and all(
        axis.stride == count_of(axes[place + 1 :]) for place, axis in enumerate(axes)
    )


def flat_indices(ordinals: Array, axes: Sequence[Axis]) -> Array:
    """Return the flat indices, in the order of the shape, of elements by their ordinals in the order of ``axes``."""
    if not axes:
        return np.zeros_like(ordinals)
    places = np.unravel_index(ordinals, tuple(axis.size for axis in axes))
    return sum((place * axis.place for place, axis in zip(places, axes, strict=True)), np.zeros_like(ordinals))


def _blocks(axes: Sequence[Axis], most_span: int | None, most: int) -> Iterator[tuple[int, int, list[Axis]]]:
    """Cut a tensor into blocks of at most so many elements, and of at most that span, in the order of its axes.

    Yields:
        The ordinal of the first element, its distance from the first one of the tensor, and the axes of the block.
    """

    def fits(inner: Sequence[Axis]) -> bool:
        return count_of(inner) <= most and (most_span is None or span_of(inner) <= most_span)

    level = len(axes)
    while level and fits(axes[level - 1 :]):
        level -= 1
    if not level:
        yield 0, 0, list(axes)
        return
    cut, inner, ordinal = axes[level - 1], list(axes[level:]), 0
    step = min(most // count_of(inner), cut.size)
    if most_span is not None:
        step = min(step, (most_span - span_of(inner)) // cut.stride + 1)
    for base in _bases(axes[: level - 1]):
        for start in range(0, cut.size, step):
            size = min(step, cut.size - start)
            block = [cut._replace(size=size), *inner]
            yield ordinal, base + start * cut.stride, block
            ordinal += count_of(block)


def _bases(axes: Sequence[Axis]) -> Iterator[int]:
    """Yield the distance of each place of these axes from the first, the last axis being the fastest."""
    if not axes:
        yield 0
        return
    for base in _bases(axes[:-1]):
        yield from range(base, base + axes[-1].size * axes[-1].stride, axes[-1].stride)


def _elements(tensor: StoredTensor, reader: Reader, start: int, count: int) -> Array:
    itemsize = ITEMSIZES[tensor.dtype]
    found = reader.read(tensor, tensor.offset + start * itemsize, count * itemsize)
    return np.frombuffer(found, raw_dtype(tensor.dtype))


def _gathered(tensor: StoredTensor, reader: Reader, base: int, block: Sequence[Axis]) -> Array:
    """Return the elements of a block without the gaps between them."""
    found = _elements(tensor, reader, base, span_of(block))
    itemsize, parts = ITEMSIZES[tensor.dtype], 2 if tensor.dtype in PARTS else 1
    shape = (*(axis.size for axis in block), parts)
    strides = (*(axis.stride * itemsize for axis in block), found.itemsize)
    return np.ascontiguousarray(as_strided(found, shape, strides)).reshape(-1)
