"""Windows by the array for as long as nothing unusual comes, and the other reader for what does."""

import sys
from collections.abc import Iterator
from contextlib import suppress

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers.tensorboard.arrays.chain import Chain, chain
from audioloss_cli.readers.tensorboard.arrays.groups import Found, Groups
from audioloss_cli.readers.tensorboard.arrays.points import Piece, hand_over, pieces
from audioloss_cli.readers.tensorboard.events import parse_event
from audioloss_cli.readers.tensorboard.framing import CRC_BYTES, HEADER_BYTES, Framing, masked_crc
from audioloss_cli.readers.tensorboard.quick import Records, some
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import LONGEST_PAYLOAD
from audioloss_cli.readers.tensorboard.wire import WireError
from audioloss_cli.records import Defect

WINDOW_BYTES = 1 << 20
_SLACK_BYTES = LONGEST_PAYLOAD + 64  # rows may reach beyond the last record
_STINTS = (1 << 15, 1 << 24)  # bytes for the other reader: at first, and at most where arrays have not paid
_groups = Groups()
_free: list[memoryview] = []  # windows that no file has at the moment: one, unless several are read by turns


def by_the_array(framing: Framing, scalars: Scalars) -> Iterator[Defect | None]:
    """Every record from here on, into ``scalars``; a Defect for each that could not be read, None where one was."""
    memory = _window()
    try:
        yield from _by_turns(framing, scalars, _Windows(framing, scalars, memory))
    finally:
        _free.append(memory)


def _window() -> memoryview:
    size = WINDOW_BYTES + _SLACK_BYTES
    with suppress(IndexError):
        if len(memory := _free.pop()) >= size:
            return memory
    return memoryview(bytearray(size))


def _by_turns(framing: Framing, scalars: Scalars, windows: "_Windows") -> Iterator[Defect | None]:
    records = Records(scalars, checksum=framing.checksum)
    stint = _STINTS[0]
    while True:
        start = framing.buffer.offset
        for _ in windows.take_all():
            yield None
        haul = framing.buffer.offset - start
        stint = _STINTS[0] if haul >= stint else min(2 * stint, _STINTS[1])
        ended = yield from some(framing, records, framing.buffer.offset + stint)
        if ended:
            return


class _Windows:
    """One buffer for window after window and file after file: fresh memory costs more than what is done with it."""

    def __init__(self, framing: Framing, scalars: Scalars, memory: memoryview) -> None:
        self.framing = framing
        self.scalars = scalars
        self.memory = memory
        self.size = min(WINDOW_BYTES, framing.buffer.left() + HEADER_BYTES)
        self.bytes = np.frombuffer(self.memory, np.uint8)

    def take_all(self) -> Iterator[None]:
        """Window after window, up to the first record that is unusual or the end of the file; once for each."""
        buffer = self.framing.buffer
        while True:
            offset = buffer.offset
            read = buffer.fill(self.memory[: self.size])
            links = chain(self.bytes, read)
            taken = self.take(links)
            buffer.seek(offset + taken)
            yield
            if links.cut or not taken or taken < links.end or read < self.size:
                return

    def take(self, links: Chain) -> int:
        """Take in the records up to the first unusual one; return how many bytes they are."""
        found, odd = _groups.split(self.bytes, links)
        stop = min([len(links.starts), *(self.first_damaged(each) for each in found)])
        parts = [piece for each in found for piece in pieces(each)]
        stop = min([stop, *(piece.order[0] for piece in parts if not self.scalars.settled(piece.place))])
        stop = next((each for each in odd if each < stop and not self.passes(links, each)), stop)
        if stop < len(links.starts):
            parts = [before for piece in parts if (before := _until(stop, piece)) is not None]
        hand_over(parts, self.scalars)
        return int(links.starts[stop]) if stop < len(links.starts) else links.end

    def first_damaged(self, found: Found) -> int:
        """Number of the first record whose checksum fails; beyond all if none does."""
        if not self.framing.checksum:
            return sys.maxsize
        intact = found.shape.intact(found.rows, found.fit)
        return sys.maxsize if intact.all() else int(found.records[np.argmin(intact)])

    def passes(self, links: Chain, number: int) -> bool:
        """Whether a record without a template is intact and nothing would be different without it."""
        start = int(links.starts[number]) + HEADER_BYTES
        end = start + int(links.lengths[number])
        payload = bytes(self.memory[start:end])
        stored = int.from_bytes(self.memory[end : end + CRC_BYTES], "little")
        if self.framing.checksum and masked_crc(payload) != stored:
            return False
        try:
            return self.scalars.leaves_cold(parse_event(payload))
        except WireError:
            return False


def _until(stop: int, piece: Piece) -> Piece | None:
    """What of a piece lies before a record."""
    count = int(np.searchsorted(piece.records, stop))
    return piece._replace(records=piece.records[:count], rows=piece.rows[:count]) if count else None
