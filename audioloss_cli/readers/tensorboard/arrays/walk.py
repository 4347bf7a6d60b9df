"""Windows by the array for as long as nothing unusual comes, and the other reader for what does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

from audioloss_cli.model import Defect
from audioloss_cli.readers.tensorboard.arrays.window import Window
from audioloss_cli.readers.tensorboard.framing import HEADER_BYTES, Framing
from audioloss_cli.readers.tensorboard.quick import Records, some
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import LONGEST_PAYLOAD

WINDOW_BYTES = 1 << 20
_SLACK_BYTES = LONGEST_PAYLOAD + 64  # rows may reach beyond the last record
_LEAST_BYTES = (1 << 21) + _SLACK_BYTES  # of a buffer, so that it serves large files and batches of small ones by turns
_STINTS = (1 << 15, 1 << 24)  # bytes for the other reader: at first, and at most where arrays have not paid
_free: list[memoryview] = []  # windows that no file has: one, unless several are read by turns or by threads


@contextmanager
def _window_memory(size: int) -> Iterator[memoryview]:
    """One buffer for window after window and file after file: fresh memory costs more than what is done with it."""
    memory = _memory(size + _SLACK_BYTES)
    try:
        yield memory
    finally:
        _free.append(memory)


def _memory(size: int) -> memoryview:
    with suppress(IndexError):
        if len(memory := _free.pop()) >= size:
            return memory
    return memoryview(bytearray(max(size, _LEAST_BYTES)))


def by_the_array(framing: Framing, scalars: Scalars) -> Iterator[Defect | None]:
    """Every record from here on, into ``scalars``; a Defect for each that could not be read, None where one was."""
    with _window_memory(WINDOW_BYTES) as memory:
        records = Records(scalars, checksum=framing.checksum)
        stint = _STINTS[0]
        while True:
            start = framing.buffer.offset
            for _ in _take_all(framing, scalars, memory):
                yield None
            haul = framing.buffer.offset - start
            stint = _STINTS[0] if haul >= stint else min(2 * stint, _STINTS[1])
            ended = yield from some(framing, records, framing.buffer.offset + stint)
            if ended:
                return


def several(files: Sequence[tuple[Path, int, Scalars]], *, checksum: bool) -> list[tuple[int, bool]]:
    """Small files, decoded at once: of each the records up to the first one that is unusual.

    Args:
        files: path, how many bytes to read, and where the points go.
        checksum: whether the checksums of payloads are verified.

    Returns:
        Of each file up to which byte it was taken in, and whether that is all there is.
    """
    with _window_memory(sum(size for _, size, _ in files)) as memory:
        bounds, ended = [0], list[bool]()
        for path, size, _ in files:
            read = _read_into(memory[bounds[-1] : bounds[-1] + size + 1], path)
            ended.append(0 < read <= size)
            bounds.append(bounds[-1] + min(read, size))
        window = Window(memory, bounds, checksum=checksum)
        if window.is_scattered:
            return [(0, False)] * len(files)
        taken = [window.take(number, scalars) for number, (_, _, scalars) in enumerate(files)]
    sizes = [end - begin for begin, end in pairwise(bounds)]
    return [(part, end and part == size) for part, size, end in zip(taken, sizes, ended, strict=True)]


def _read_into(memory: memoryview, path: Path) -> int:
    """As many bytes as fit; none of a file that cannot be read, which is found again when it is its turn."""
    try:
        with path.open("rb") as stream:
            return stream.readinto(memory)
    except OSError:
        return 0


def _take_all(framing: Framing, scalars: Scalars, memory: memoryview) -> Iterator[None]:
    """Window after window, up to the first record that is unusual or the end of the file; once for each."""
    buffer = framing.buffer
    size = min(WINDOW_BYTES, buffer.left() + HEADER_BYTES)
    while True:
        offset = buffer.offset
        read = buffer.fill(memory[:size])
        window = Window(memory, [0, read], checksum=framing.checksum)
        taken, more = window.take(0, scalars), not window.links.cut[0]
        more = more and 0 < taken == window.links.ends[0] and read == size
        del window  # its memory is for the next one
        buffer.seek(offset + taken)
        yield
        if not more:
            return
