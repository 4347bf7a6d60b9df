"""Many small files: decoded at once, as many as make a good load, for numpy takes little longer for many numbers.

What is unusual in one of them, and all that follows it there, is read as it would be without the others.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from audioloss_cli.model import Cursor, ReadOptions
from audioloss_cli.readers.tensorboard.reading import Items, Reading, read
from audioloss_cli.readers.tensorboard.scalars import Scalars

_BYTES = (1 << 11, 1 << 20)  # of a file for which it is worth it, and that leaves room for others
_ROOM_BYTES, _FILES = 1 << 21, 64  # of a batch
_MOST_ALONE = 16  # batches, where decoding at once has not paid


class _File(NamedTuple):
    path: Path
    options: ReadOptions
    bytes: int  # 0 for one that is read by itself


class _Head(NamedTuple):
    """What was taken in of a file, up to which byte, and whether that is all of it."""

    scalars: Scalars
    taken: int
    whole: bool


def read_many(files: Iterable[tuple[Path, ReadOptions]]) -> Iterator[Items]:
    """For each file what ``read`` gives, in order; see ``BatchReader``."""
    alone, next_time = 0, 1  # batches that are read file by file from here on, and after the next one that did not pay
    for batch in _batches(_File(path, options, _to_share(path, options)) for path, options in files):
        together = sum(file.bytes > 0 for file in batch) > 1
        heads = _heads(batch) if together and not alone else {}
        if together:
            alone, next_time = _patience(batch, heads, alone, next_time)
        for number, file in enumerate(batch):
            yield _rest(file, heads[number]) if number in heads else read(file.path, file.options)


def _patience(batch: list[_File], heads: dict[int, _Head], alone: int, next_time: int) -> tuple[int, int]:
    """For how many batches not to try again, and for how many the next time."""
    if alone:
        return alone - 1, next_time
    if 2 * sum(head.taken for head in heads.values()) >= sum(file.bytes for file in batch):
        return 0, 1
    return next_time, min(2 * next_time, _MOST_ALONE)


def _to_share(path: Path, options: ReadOptions) -> int:
    """The bytes with which a file takes part, 0 if it does not; none is opened to find that out: it may be a pipe."""
    if options.since is not None or not options.arrays:
        return 0
    try:
        found = os.stat(path)  # noqa: PTH116  # of 10,000 files: half the time
    except OSError:
        return 0
    return found.st_size if S_ISREG(found.st_mode) and _BYTES[0] <= found.st_size <= _BYTES[1] else 0


def _batches(files: Iterable[_File]) -> Iterator[list[_File]]:
    """Neighbours, as long as there is room; those that are read by themselves take their place among them."""
    batch, room = list[_File](), 0
    for file in files:
        fits = file.bytes <= room and len(batch) < _FILES
        if batch and not (fits and file.options.checksum == batch[0].options.checksum):
            yield batch
            batch = []
        room = (room if batch else _ROOM_BYTES) - file.bytes
        batch.append(file)
        if len(batch) == 1 and not file.bytes:
            yield batch
            batch = []
    if batch:
        yield batch


def _heads(batch: list[_File]) -> dict[int, _Head]:
    """By number of the file; of each what is not unusual and comes before all that is."""
    from audioloss_cli.readers.tensorboard.arrays import several  # noqa: PLC0415  # numpy

    shared = [(number, file, Scalars(file.options.wanted)) for number, file in enumerate(batch) if file.bytes]
    files = [(file.path, file.bytes, scalars) for _, file, scalars in shared]
    taken = several(files, checksum=batch[0].options.checksum)
    return {number: _Head(scalars, *each) for (number, _, scalars), each in zip(shared, taken, strict=True)}


def _rest(file: _File, head: _Head) -> Items:
    """What was taken in of a file, and what follows. It was closed meanwhile: a process has few descriptors."""
    if head.whole:
        yield from head.scalars.flush()
        if file.options.mark:
            yield Cursor(head.taken, head.scalars.state())
        return
    with file.path.open("rb") as stream:
        yield from Reading(stream, file.path, file.options, head.scalars, head.taken).items()
