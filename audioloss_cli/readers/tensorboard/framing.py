"""TFRecord framing: u64 length, u32 masked CRC-32C of it, payload, u32 masked CRC-32C of that; little-endian.

Layout and mask: tensorflow/core/lib/io/record_writer.cc and core/lib/hash/crc32c.h.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from google_crc32c import value as crc32c

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED, DefectKind
from audioloss_cli.readers.tensorboard.blobs import holds_no_scalar
from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")
HEADER_BYTES, CRC_BYTES = _HEADER.size, _CRC.size
FRAMING_BYTES = HEADER_BYTES + CRC_BYTES
MASK_DELTA = 0xA282EAD8
_KNOWN_HEADERS = 4096
# The middle of a header where its predecessor cannot be trusted: the length is below 4 GiB, and the payload starts with
# the key of one of Event's ten fields. Only its CRC proves it.
_EVENT_KEYS = rb"\x09\x10\x1a\x22\x2a\x32\x3a\x42\x4a\x52"
_LENGTH = re.compile(rb"\0(?=\0{3}.{4}[" + _EVENT_KEYS + rb"])", re.DOTALL)
_LOW_BYTES = 4  # of the length, before that place; not all of them are zero
_SEARCH_BYTES = 1 << 20
# A record whose length fails its checksum is believed if the payload's checksum proves it; reading more than this for
# the proof would let one flipped bit pull gigabytes into memory.
_PROOF_BYTES = 64 << 20
# From this size on a payload may be skipped unread, and its checksum with it.
BLOB_BYTES = 1 << 16
_HEAD_BYTES, _TAIL_BYTES = 1 << 10, 1 << 12


class Frame(NamedTuple):
    """One record: byte offset of its header in the file, and its payload, checksum verified."""

    offset: int
    payload: bytes


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits and offset, as TFRecord stores it."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def _headers_in(data: bytes) -> Iterator[int]:
    """Where a header may start."""
    middles = (match.start() for match in _LENGTH.finditer(data, _LOW_BYTES))
    return (middle - _LOW_BYTES for middle in middles if any(data[middle - _LOW_BYTES : middle]))


class Framing:
    """A walk over one file; ``buffer.offset`` is where the next record should start.

    It finds every intact record, wherever it stands, and a Defect for every stretch that holds none. Memory is bounded
    by the largest record that is no blob. A half-written last record is a Defect of kind ``truncated``. Without
    ``checksum`` payloads are believed; lengths never are, for one wrong length loses all that follows.
    """

    def __init__(self, buffer: SlidingBuffer, path: str, *, checksum: bool = True) -> None:
        self.buffer = buffer
        self.checksum = checksum
        self.path = path
        self.believed = False  # the last record was a blob with nothing behind it to prove where it ends
        self.lengths: dict[bytes, int] = {}  # headers whose checksum held; a log repeats a handful of lengths

    def step(self) -> list[Frame | Defect] | None:
        """The next record and what is wrong before or with it; nothing for a blob; None at the end of the file."""
        header = self.buffer.peek(HEADER_BYTES)
        if not header:
            return None
        self.believed = False
        length = self.trusted_length(header)
        if length is None:
            return list(self.bad_header(header))
        size = length + FRAMING_BYTES
        if length >= BLOB_BYTES and self.buffer.seekable and self.skips_blob(size):
            return []
        record, offset = self.buffer.peek(size), self.buffer.offset
        if len(record) < size:
            return [self.cut_short(len(record), size)]
        payload = record[HEADER_BYTES:-CRC_BYTES]
        if self.checksum and record[-CRC_BYTES:] != _CRC.pack(masked_crc(payload)):
            return [self.bad_payload(size)]
        self.buffer.skip(size)
        return [Frame(offset, payload)]

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
            length, crc = _HEADER.unpack(header)
            if masked_crc(header[:8]) != crc:
                return None
            if len(self.lengths) >= _KNOWN_HEADERS:
                self.lengths.clear()
            self.lengths[header] = length
        return length

    def bad_header(self, header: bytes) -> Iterator[Frame | Defect]:
        """A header whose length fails its checksum, or the rest of one."""
        if len(header) < HEADER_BYTES:
            yield self.tail(f"{len(header)} bytes are left, less than the {HEADER_BYTES} of a record header")
            return
        payload = self.proven_payload(_HEADER.unpack(header)[0])
        if payload is None:
            yield self.resynchronise("framing", "the length of a record fails its checksum")
            return
        yield self.defect("checksum", "the length of a record fails its checksum; the record is intact and was read")
        yield Frame(self.buffer.offset, payload)
        self.buffer.skip(len(payload) + FRAMING_BYTES)

    def proven_payload(self, length: int) -> bytes | None:
        """The payload, if its own checksum proves the length."""
        if length > min(_PROOF_BYTES, self.buffer.left()):
            return None
        record = self.buffer.peek(length + FRAMING_BYTES)
        payload = record[HEADER_BYTES : HEADER_BYTES + length]
        return payload if record[HEADER_BYTES + length :] == _CRC.pack(masked_crc(payload)) else None

    def bad_payload(self, size: int) -> Defect:
        """Skip one record if another starts where it ends; if none does, bytes were lost or added inside it."""
        offset = self.buffer.offset
        following = self.buffer.peek(HEADER_BYTES, after=size)
        if following and self.trusted_length(following) is None:
            return self.resynchronise("checksum", "a record fails its checksum and no record starts where it ends")
        self.buffer.skip(self.chain_inside(self.buffer.peek(size)))
        return self.gap(offset, "checksum", "a record fails its checksum")

    def chain_inside(self, record: bytes) -> int:
        """Where, inside a damaged record, a chain of records starts that ends where it ends; its own end if none does.

        If bytes were lost, the record's length reaches into its successors, and may end where one of them does. A chain
        that ends anywhere else may be part of the payload.
        """
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
                at += length + FRAMING_BYTES
            if at == len(record) and 0 < start < at:
                return start
        return len(record)

    def cut_short(self, left: int, size: int) -> Defect:
        """The record runs past the end: half-written, unless other records stand where its payload should be."""
        offset = self.buffer.offset
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
        self.buffer.skip(1)
        while len(block := self.buffer.peek(_SEARCH_BYTES)) > HEADER_BYTES:
            if block.count(0) == len(block):  # a crash leaves gigabytes of zeros
                self.buffer.skip(len(block) - HEADER_BYTES)
                continue
            for start in _headers_in(block):
                if self.trusted_length(block[start : start + HEADER_BYTES]) is not None:
                    self.buffer.skip(start)
                    return True
            self.buffer.skip(len(block) - HEADER_BYTES)
        self.buffer.skip(HEADER_BYTES)
        return False

    def defect(self, kind: DefectKind, message: str) -> Defect:
        """A Defect at this place."""
        return Defect(self.path, kind, message, self.buffer.offset)
