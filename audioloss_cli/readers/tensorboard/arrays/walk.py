"""Windows by the array for as long as nothing unusual comes, and the other reader for what does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from audioloss_cli.readers.tensorboard.arrays.window import Window
from audioloss_cli.readers.tensorboard.framing import HEADER_BYTES, Framing
from audioloss_cli.readers.tensorboard.quick import Records, some
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import LONGEST_PAYLOAD
from audioloss_cli.records import Defect

WINDOW_BYTES = 1 << 20
_SLACK_BYTES = LONGEST_PAYLOAD + 64  # rows may reach beyond the last record
_STINTS = (1 << 15, 1 << 24)  # bytes for the other reader: at first, and at most where arrays have not paid
_free: list[memoryview] = []  # windows that no file has at the moment: one, unless several are read by turns


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
    return memoryview(bytearray(size))


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


def several(files: Sequence[tuple[Framing, Scalars, int]]) -> None:
    """Files that are small, decoded at once: of each the records up to the first one that is unusual.

    Args:
        files: at their start; where their records go, and how many bytes are read of each.
    """
    with _window_memory(sum(size for _, _, size in files)) as memory:
        bounds = [0]
        for framing, _, size in files:
            bounds.append(bounds[-1] + _filled(framing, memory[bounds[-1] : bounds[-1] + size]))
        window = Window(memory, bounds, checksum=files[0][0].checksum)
        for number, (framing, scalars, _) in enumerate(files):
            framing.buffer.seek(window.take(number, scalars))


def _filled(framing: Framing, memory: memoryview) -> int:
    """Bytes that could be read; none of a file that cannot be, which is found again when it is read by itself."""
    try:
        return framing.buffer.fill(memory)
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
