"""TFRecord framing: u64 length, u32 masked CRC-32C of it, payload, u32 masked CRC-32C of that; little-endian.

Layout and mask: tensorflow/core/lib/io/record_writer.cc and core/lib/hash/crc32c.h.
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from google_crc32c import value as crc32c

from audioloss_cli.readers.tensorboard.buffer import SlidingBuffer
from audioloss_cli.records import Defect
from audioloss_cli.records.series import UNFINISHED, DefectKind

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")
_FRAMING_BYTES = _HEADER.size + _CRC.size
_KNOWN_HEADERS = 4096
# Where a header may start when its predecessor cannot be trusted: a length of 1 to 4 GiB - 1, and a payload that starts
# with the key of one of Event's ten fields. Only its CRC proves it.
_EVENT_KEYS = rb"\x09\x10\x1a\x22\x2a\x32\x3a\x42\x4a\x52"
_LENGTH = re.compile(rb"(?=(?!\0{4}).{4}\0{4}.{4}[" + _EVENT_KEYS + rb"])", re.DOTALL)
_SEARCH_BYTES = 1 << 20
# A record whose length fails its checksum is believed if the payload's checksum proves it; reading more than this for
# the proof would let one flipped bit pull gigabytes into memory.
_PROOF_BYTES = 64 << 20


class Frame(NamedTuple):
    """One record: byte offset of its header in the file, and its payload, checksum verified."""

    offset: int
    payload: bytes


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits and offset, as TFRecord stores it."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def frames(stream: BinaryIO, path: str, *, checksum: bool = True) -> Iterator[Frame | Defect]:
    """Every intact record, wherever it stands, and a Defect for every stretch that holds none.

    Memory is bounded by the largest record. A half-written last record is a Defect of kind ``truncated``. Without
    ``checksum`` payloads are believed; lengths never are, for one wrong length loses all that follows.
    """
    return _Framing(SlidingBuffer(stream), path, checksum=checksum).walk()


class _Framing:
    """A walk over one file; ``buffer.offset`` is where the next record should start."""

    def __init__(self, buffer: SlidingBuffer, path: str, *, checksum: bool) -> None:
        self.buffer = buffer
        self.checksum = checksum
        self.path = path
        self.lengths: dict[bytes, int] = {}  # headers whose checksum held; a log repeats a handful of lengths

    def walk(self) -> Iterator[Frame | Defect]:
        while header := self.buffer.peek(_HEADER.size):
            length = self.trusted_length(header)
            if length is None:
                yield from self.bad_header(header)
                continue
            size = length + _FRAMING_BYTES
            record = self.buffer.peek(size)
            payload = record[_HEADER.size : -_CRC.size]
            if len(record) < size:
                yield self.cut_short(len(record), size)
            elif not self.checksum or record[-_CRC.size :] == _CRC.pack(masked_crc(payload)):
                yield Frame(self.buffer.offset, payload)
                self.buffer.skip(size)
            else:
                yield self.bad_payload(size)

    def trusted_length(self, header: bytes) -> int | None:
        """The payload's length in bytes, if the header is whole and its checksum holds."""
        length = self.lengths.get(header)
        if length is None and len(header) == _HEADER.size:
            length, crc = _HEADER.unpack(header)
            if masked_crc(header[:8]) != crc:
                return None
            if len(self.lengths) >= _KNOWN_HEADERS:
                self.lengths.clear()
            self.lengths[header] = length
        return length

    def bad_header(self, header: bytes) -> Iterator[Frame | Defect]:
        if len(header) < _HEADER.size:
            yield self.tail(f"{len(header)} bytes are left, less than the {_HEADER.size} of a record header")
            return
        payload = self.proven_payload(_HEADER.unpack(header)[0])
        if payload is None:
            yield self.resynchronise("framing", "the length of a record fails its checksum")
            return
        yield self.defect("checksum", "the length of a record fails its checksum; the record is intact and was read")
        yield Frame(self.buffer.offset, payload)
        self.buffer.skip(len(payload) + _FRAMING_BYTES)

    def proven_payload(self, length: int) -> bytes | None:
        if length > min(_PROOF_BYTES, self.buffer.left()):
            return None
        record = self.buffer.peek(length + _FRAMING_BYTES)
        payload = record[_HEADER.size : _HEADER.size + length]
        return payload if record[_HEADER.size + length :] == _CRC.pack(masked_crc(payload)) else None

    def bad_payload(self, size: int) -> Defect:
        """Skip one record if another starts where it ends; if none does, bytes were lost or added inside it."""
        offset = self.buffer.offset
        following = self.buffer.peek(_HEADER.size, after=size)
        if following and self.trusted_length(following) is None:
            return self.resynchronise("checksum", "a record fails its checksum and no record starts where it ends")
        self.buffer.skip(self.chain_inside(self.buffer.peek(size)))
        return self.gap(offset, "checksum", "a record fails its checksum")

    def chain_inside(self, record: bytes) -> int:
        """Where, inside a damaged record, a chain of records starts that ends where it ends; its own end if none does.

        If bytes were lost, the record's length reaches into its successors, and may end where one of them does. A chain
        that ends anywhere else may be part of the payload.
        """
        for match in _LENGTH.finditer(record, 1):
            at = match.start()
            while at < len(record) and (length := self.trusted_length(record[at : at + _HEADER.size])) is not None:
                at += length + _FRAMING_BYTES
            if at == len(record) and match.start() != at:
                return match.start()
        return len(record)

    def cut_short(self, left: int, size: int) -> Defect:
        """The record runs past the end: half-written, unless other records stand where its payload should be."""
        offset = self.buffer.offset
        if self.find_header():
            return self.gap(offset, "framing", "a record is shorter than its length says")
        return Defect(self.path, "truncated", f"the last record has {left} of {size} bytes; {UNFINISHED}", offset)

    def tail(self, what: str) -> Defect:
        defect = self.defect("truncated", f"{what}; {UNFINISHED}")
        self.buffer.skip(_HEADER.size)
        return defect

    def resynchronise(self, kind: DefectKind, what: str) -> Defect:
        offset = self.buffer.offset
        self.find_header()
        return self.gap(offset, kind, what)

    def gap(self, offset: int, kind: DefectKind, what: str) -> Defect:
        end = self.buffer.offset
        after = f"the next record starts at byte {end}" if self.buffer.left() else "no record follows"
        return Defect(self.path, kind, f"{what}; {end - offset} bytes were skipped, {after}", offset)

    def find_header(self) -> bool:
        """Move past the current byte to the next header whose checksum holds, or to the end of the file."""
        self.buffer.skip(1)
        while len(block := self.buffer.peek(_SEARCH_BYTES)) > _HEADER.size:
            for match in _LENGTH.finditer(block):
                start = match.start()
                if self.trusted_length(block[start : start + _HEADER.size]) is not None:
                    self.buffer.skip(start)
                    return True
            self.buffer.skip(len(block) - _HEADER.size)
        self.buffer.skip(_HEADER.size)
        return False

    def defect(self, kind: DefectKind, message: str) -> Defect:
        return Defect(self.path, kind, message, self.buffer.offset)
