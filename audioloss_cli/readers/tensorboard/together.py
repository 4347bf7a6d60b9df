"""Many small files: as many as fit into a window are decoded at once, since numpy takes little longer for many numbers.

What is unusual in one of them, and all that follows it there, is read as it would be without the others.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from audioloss_cli.readers.tensorboard.reading import Items, Reading, read
from audioloss_cli.records import Request

_BYTES = (1 << 11, 1 << 20)  # of a file for which it is worth it, and that leaves room for others
_ROOM_BYTES, _FILES = 1 << 21, 64  # of a batch, whose files are open at a time


class _File(NamedTuple):
    path: Path
    request: Request
    bytes: int  # 0 for one that is read by itself


def read_many(files: Iterable[tuple[Path, Request]]) -> Iterator[Items]:
    """For each file what ``read`` gives, in order; see ``ReaderOfMany``."""
    for batch in _batches(_File(path, request, _to_share(path, request)) for path, request in files):
        if len(batch) > 1:
            yield from _together(batch)
        else:
            yield read(batch[0].path, batch[0].request)


def _to_share(path: Path, request: Request) -> int:
    """The bytes with which a file takes part in a window, 0 if it does not; none is opened to find that out."""
    if request.since is not None or not (request.arrays or "numpy" in sys.modules):
        return 0
    try:
        found = os.stat(path)  # noqa: PTH116  # of 10,000 files: half the time
    except OSError:
        return 0
    return found.st_size if S_ISREG(found.st_mode) and _BYTES[0] <= found.st_size <= _BYTES[1] else 0


def _batches(files: Iterable[_File]) -> Iterator[list[_File]]:
    """Neighbours, as long as they fit into a window; those that are read by themselves take their place among them."""
    batch, room = list[_File](), 0
    for file in files:
        fits = file.bytes <= room and len(batch) < _FILES
        if batch and not (fits and file.request.checksum == batch[0].request.checksum):
            yield batch
            batch = []
        if not batch:
            room = _ROOM_BYTES
        batch.append(file)
        room -= file.bytes
        if len(batch) == 1 and not file.bytes:
            yield batch
            batch = []
    if batch:
        yield batch


def _together(batch: list[_File]) -> Iterator[Items]:
    with ExitStack() as stack:
        opened = dict[int, Reading]()
        for number, file in enumerate(batch):
            with suppress(OSError):  # which comes again when it is its turn
                if file.bytes:
                    stream = stack.enter_context(file.path.open("rb"))
                    opened[number] = Reading(stream, file.path, file.request)
        if len(opened) > 1:
            from audioloss_cli.readers.tensorboard.arrays import several  # noqa: PLC0415  # numpy

            several([(each.framing, each.scalars, batch[number].bytes) for number, each in opened.items()])
        for number, file in enumerate(batch):
            yield opened[number].items() if number in opened else read(file.path, file.request)
