"""TFRecord framing: u64 length, u32 masked CRC-32C of it, payload, u32 masked CRC-32C of that; little-endian.

Layout and mask: tensorflow/core/lib/io/record_writer.cc and core/lib/hash/crc32c.h.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from google_crc32c import extend
from google_crc32c import value as crc32c

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED, DefectKind
from audioloss_cli.readers._protobuf import WireError
from audioloss_cli.readers.tensorboard.blobs import holds_no_scalar
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.readers.tensorboard.checksums import Checksums
from audioloss_cli.readers.tensorboard.events import parse_event
from audioloss_cli.readers.tensorboard.newlines import Copied, text_mode_copy

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")
HEADER_BYTES, CRC_BYTES = _HEADER.size, _CRC.size
FRAMING_BYTES = HEADER_BYTES + CRC_BYTES
MASK_DELTA = 0xA282EAD8
_KNOWN_HEADERS, _PIECE_BYTES = 4096, 1 << 20
# The middle of a header where its predecessor cannot be trusted: the length is below 4 GiB, and the payload starts with
# the key of one of Event's ten fields. Only its CRC proves it.
_EVENT_KEYS = rb"\x09\x10\x1a\x22\x2a\x32\x3a\x42\x4a\x52"
_LENGTH = re.compile(rb"\0(?=\0{3}.{4}[" + _EVENT_KEYS + rb"])", re.DOTALL)
_LOW_BYTES = 4  # of the length, before that place; not all of them are zero
_SEARCH_BYTES = (1 << 12, 1 << 20)  # at first, for the next header may be near, and at most
_ZEROS = bytes(_SEARCH_BYTES[1])
# No more is read of a record that is no blob: to believe a length before its payload was seen would let one header pull
# gigabytes into memory.
LARGEST_BYTES = 64 << 20
_TOO_LARGE = f"more than the {LARGEST_BYTES >> 20} MiB that are read of one that is no image, audio or histogram"
_TROUBLES = 3  # of a file at which a copy in text mode is looked for
_SMALL_BYTES = 1 << 9  # a record that is looked at as often as there are headers before it
# From this size on a payload may be skipped unread, and its checksum with it.
BLOB_BYTES = 1 << 16
_HEAD_BYTES, _TAIL_BYTES = 1 << 10, 1 << 12


class Frame(NamedTuple):
    """One record: byte offset of its header in the file, and its payload, checksum verified."""

    offset: int
    payload: bytes


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits and offset, as TFRecord stores it."""
    return _masked(crc32c(data))


def _masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def is_header(header: bytes) -> bool:
    """Whether this is a whole header whose checksum holds."""
    return len(header) == HEADER_BYTES and masked_crc(header[:8]) == _HEADER.unpack(header)[1]


def is_intact(record: bytes) -> bool:
    """Whether the checksum of the payload of a whole record holds."""
    return record[-CRC_BYTES:] == _CRC.pack(masked_crc(record[HEADER_BYTES:-CRC_BYTES]))


def _headers_in(data: bytes) -> Iterator[int]:
    """Where a header may start."""
    middles = (match.start() for match in _LENGTH.finditer(data, _LOW_BYTES))
    return (middle - _LOW_BYTES for middle in middles if any(data[middle - _LOW_BYTES : middle]))


def _is_event(payload: bytes) -> bool:
    """Whether all fields of an event are where they should be, whatever stands in them."""
    try:
        return not parse_event(payload).faults
    except WireError:
        return False


class Framing:
    """A walk over one file; ``buffer.offset`` is where the next record should start.

    It finds every intact record of up to ``LARGEST_BYTES``, wherever it stands, and a Defect for every stretch that
    holds none. A half-written last record is a Defect of kind ``truncated``. Without ``checksum`` payloads are
    believed; lengths never are, for one wrong length loses all that follows.

    Each byte is looked at a bounded number of times, however many headers claim it: what was part of a record that
    failed its checksum is from then on judged by ``Checksums``, and searched for a chain of records once.
    """

    def __init__(self, buffer: SlidingBuffer, path: str, *, checksum: bool = True) -> None:
        self.buffer = buffer
        self.checksum = checksum
        self.path = path
        self.believed = False  # the last record was a blob with nothing behind it to prove where it ends
        self.lengths: dict[bytes, int] = {}  # headers whose checksum held; a log repeats a handful of lengths
        self.checksums = Checksums(buffer)
        self.copied: Copied | None = None  # what a copy in text mode did to the file
        self.troubles = 0  # at which that was looked for
        # Up to where records that failed reach, and those that were searched for a chain.
        self.tried = self.searched = 0

    def step(self) -> list[Frame | Defect] | None:
        """The next record and what is wrong before or with it; nothing for a blob; None at the end of the file."""
        header = self.buffer.peek(HEADER_BYTES)
        if not header:
            return None
        self.believed = False
        length = self.trusted_length(header)
        if length is None:
            self.look_for_a_copy()
            return list(self.bad_header(header))
        size = length + FRAMING_BYTES
        if length >= BLOB_BYTES and self.buffer.seekable and self.skips_blob(size):
            return []
        if length > LARGEST_BYTES and (not self.buffer.seekable or self.buffer.holds(size)):
            return [self.resynchronise("framing", f"a record claims {length} bytes, {_TOO_LARGE}")]
        offset, there = self.buffer.offset, self.buffer.holds(size)
        record = self.buffer.peek(size) if there and offset >= self.tried and size <= _PIECE_BYTES else b""
        if not record or (self.checksum and not is_intact(record)):
            if not there or (self.checksum and not self.proves_intact(size)):
                self.look_for_a_copy()
                return [self.bad_payload(size) if there else self.cut_short(size)]
            record = self.buffer.peek(size)
        self.buffer.skip(size)
        return [Frame(offset, record[HEADER_BYTES:-CRC_BYTES])]

    def proves_intact(self, size: int) -> bool:
        """Whether the checksum of the payload of a record holds, which is there."""
        start, end = self.buffer.offset, self.buffer.offset + size - CRC_BYTES
        if size <= _SMALL_BYTES or (start >= self.tried and size <= _PIECE_BYTES):
            intact = is_intact(self.buffer.peek(size))
        else:
            again = start < self.tried
            crc = self.checksums.of(start + HEADER_BYTES, end) if again else self.crc_in_pieces(start, end)
            intact = self.buffer.glance(end, CRC_BYTES) == _CRC.pack(_masked(crc))
        if not intact:
            self.tried = max(self.tried, start + size)
        return intact

    def crc_in_pieces(self, start: int, end: int) -> int:
        """Of the payload of a large record, which is kept only once it is known to be one."""
        crc = 0
        for at in range(start + HEADER_BYTES, end, _PIECE_BYTES):
            crc = extend(crc, self.buffer.glance(at, min(_PIECE_BYTES, end - at)))
        return crc

    def look_for_a_copy(self) -> None:
        """See whether a copy in text mode is to blame for one of the first records that cannot be read."""
        if self.copied is None and self.troubles < _TROUBLES:
            self.troubles += 1
            self.copied = text_mode_copy(self.buffer.peek(BLOB_BYTES), self.intact_bytes)

    def intact_bytes(self, data: bytes) -> int:
        """The length of the intact record that data starts with, framing included; 0 if there is none."""
        length = self.trusted_length(data[:HEADER_BYTES])
        if length is None or len(data) < length + FRAMING_BYTES:
            return 0
        size = length + FRAMING_BYTES
        return size if is_intact(data[:size]) else 0

    def skips_blob(self, size: int) -> bool:
        """Move past a record that by its first bytes is all image, audio or histogram, without reading it.

        It is believed to end where it says if another header or the end of the file follows, and if no record stands
        in its last bytes: where bytes were lost, the length reaches into its successors.
        """
        start, end = self.buffer.offset, self.buffer.offset + size
        if size > self.buffer.left() or not holds_no_scalar(self.buffer.peek(_HEAD_BYTES)[HEADER_BYTES:], size):
            return False
        self.buffer.seek(end - _TAIL_BYTES)
        tail = self.buffer.peek(_TAIL_BYTES + HEADER_BYTES)
        following = tail[_TAIL_BYTES:]
        sound = not following or self.trusted_length(following) is not None
        if sound and not any(
            self.trusted_length(tail[at : at + HEADER_BYTES]) for at in _headers_in(tail[:_TAIL_BYTES])
        ):
            self.buffer.skip(_TAIL_BYTES)
            self.believed = not following
            return True
        self.buffer.seek(start)
        return False

    def trusted_length(self, header: bytes) -> int | None:
        """The payload's length in bytes, if the header is whole and its checksum holds."""
        length = self.lengths.get(header)
        if length is None and len(header) == HEADER_BYTES:
            if not is_header(header):
                return None
            length = _HEADER.unpack(header)[0]
            if len(self.lengths) >= _KNOWN_HEADERS:
                self.lengths.clear()
            self.lengths[header] = length
        return length

    def bad_header(self, header: bytes) -> Iterator[Frame | Defect]:
        """A header whose length fails its checksum, or the rest of one."""
        if len(header) < HEADER_BYTES:
            yield self.tail(f"{len(header)} bytes are left, less than the {HEADER_BYTES} of a record header")
            return
        size = _HEADER.unpack(header)[0] + FRAMING_BYTES
        # A length that is wrong may be far more than the file has.
        if size > LARGEST_BYTES or not self.buffer.holds(size) or not self.proves_intact(size):
            yield self.resynchronise("framing", "the length of a record fails its checksum")
            return
        yield self.defect("checksum", "the length of a record fails its checksum; the record is intact and was read")
        yield Frame(self.buffer.offset, self.buffer.peek(size)[HEADER_BYTES:-CRC_BYTES])
        self.buffer.skip(size)

    def bad_payload(self, size: int) -> Defect:
        """Skip one record if another starts where it ends; if none does, bytes were lost or added inside it."""
        offset = self.buffer.offset
        following = self.buffer.glance(offset + size, HEADER_BYTES)
        if following and self.trusted_length(following) is None:
            return self.resynchronise("checksum", "a record fails its checksum and no record starts where it ends")
        if offset < self.searched:
            self.find_header()
        else:
            self.searched = offset + size
            self.buffer.skip(self.chain_inside(self.buffer.peek(size)))
        return self.gap(offset, "checksum", "a record fails its checksum")

    def chain_inside(self, record: bytes) -> int:
        """Where to go on inside a damaged record; its own end if all of it is one.

        If bytes were lost, the record's length reaches into its successors, and may end where one of them does: a chain
        of records starts inside that ends where it ends. A chain that ends anywhere else may be part of the payload,
        unless that is no event: then bytes were lost or added, or the length was wrong from the start.
        """
        first = chained = len(record)
        seen = set[int]()  # no chain from here ends where it should
        for start in _headers_in(record):
            at = start
            while (
                start
                and at not in seen
                and at < len(record)
                and (length := self.trusted_length(record[at : at + HEADER_BYTES])) is not None
            ):
                seen.add(at)
                first = min(first, start)
                at += length + FRAMING_BYTES
            if at == len(record) and 0 < start < at:
                chained = start
                break
        return first if first < chained and not _is_event(record[HEADER_BYTES:-CRC_BYTES]) else chained

    def cut_short(self, size: int) -> Defect:
        """The record runs past the end: half-written, unless other records stand where its payload should be."""
        offset, left = self.buffer.offset, self.buffer.left()
        if self.find_header():
            return self.gap(offset, "framing", "a record is shorter than its length says")
        return Defect(self.path, "truncated", f"the last record has {left} of {size} bytes; {UNFINISHED}", offset)

    def tail(self, what: str) -> Defect:
        """A file that ends inside a header."""
        defect = self.defect("truncated", f"{what}; {UNFINISHED}")
        self.buffer.skip(HEADER_BYTES)
        return defect

    def resynchronise(self, kind: DefectKind, what: str) -> Defect:
        """Move to the next record that can be found."""
        offset = self.buffer.offset
        self.find_header()
        return self.gap(offset, kind, what)

    def gap(self, offset: int, kind: DefectKind, what: str) -> Defect:
        """A Defect for the bytes from ``offset`` to here."""
        end = self.buffer.offset
        after = f"the next record starts at byte {end}" if self.buffer.peek(1) else "no record follows"
        return Defect(self.path, kind, f"{what}; {end - offset} bytes were skipped, {after}", offset)

    def find_header(self) -> bool:
        """Move past the current byte to the next header whose checksum holds, or to the end of the file."""
        self.buffer.peek(1)  # nothing may have been read yet from here on
        self.buffer.skip(1)
        size, most = _SEARCH_BYTES
        while len(block := self.buffer.peek(size)) > HEADER_BYTES:
            zeros = block == _ZEROS[: len(block)]
            for start in () if zeros else _headers_in(block):
                if self.trusted_length(block[start : start + HEADER_BYTES]) is not None:
                    self.buffer.skip(start)
                    return True
            self.buffer.skip(len(block) - HEADER_BYTES)
            if zeros:  # a crash leaves gigabytes of them
                self.buffer.skip_hole(kept=HEADER_BYTES)
            size = min(2 * size, most)
        self.buffer.skip(HEADER_BYTES)
        return False

    def defect(self, kind: DefectKind, message: str) -> Defect:
        """A Defect at this place."""
        return Defect(self.path, kind, message, self.buffer.offset)
