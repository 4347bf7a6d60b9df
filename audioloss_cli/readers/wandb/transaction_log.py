"""From the bytes of a ``.wandb`` file to its records: the log format of LevelDB, behind a header of seven bytes.

The file is cut into blocks of 32 KiB. A block holds chunks, each with a header (u32 CRC-32 of type and content, u16
length, u8 type; little-endian); a record is one chunk of type FULL, or FIRST, MIDDLEs and LAST. What remains of a block
with less than a header is zero. Layout: https://github.com/google/leveldb/blob/main/doc/log_format.md; W&B takes the
CRC-32 of zlib, and counts its own header (``:W&B``, u16 0xBEE1, u8 version) among the bytes of the first block.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED, DefectKind

_FILE_HEADER = b":W&B\xe1\xbe\x00"
BLOCK_BYTES = 1 << 15
_HEADER = struct.Struct("<IHB")
_HEADER_BYTES = _HEADER.size
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS = {kind: crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}
# A record starts with the key of one of its fields: its number, or what it is a record of.
_START = re.compile(
    rb"[\x01\x02](?=[\x08\x12\x1a\x22\x2a\x32\x3a\x42\x4a\x52\x5a\x62\x6a\x8a\x92\xa2\xaa\xb2\xba\xca\xd2\xda])"
)
# No row of numbers is longer; a table of a megabyte is kept in a file of its own.
_LONGEST_RECORD = 16 << 20
_MOST_CHECKED = 4 << 20  # bytes of which checksums are computed to find the next chunk of a block


#: Byte offset of the first chunk of a record, and its content, checksums verified. No NamedTuple: a million are made.
Record = tuple[int, bytes]


class _Gap(NamedTuple):
    """Bytes that hold no record, from ``start`` on."""

    start: int
    kind: DefectKind
    message: str


class TransactionLog:
    """The records of one file, in order, and a Defect for each stretch of bytes that holds none.

    Args:
        path: for defects.
        pieces: the content; each piece but the last is a multiple of 32 KiB.
        checksum: whether the checksums of chunks are verified.
    """

    def __init__(self, path: str, pieces: Iterable[bytes], *, checksum: bool = True) -> None:
        self._path = path
        self._pieces = pieces
        self._checksum = checksum
        self._gap: _Gap | None = None
        self._parts = list[bytes]()  # of a record that is not complete yet
        self._start = 0  # of that record
        self._size = 0  # of its parts
        self.end = 0  # byte behind the last block so far

    def __iter__(self) -> Iterator[Record | Defect]:
        """Yield every intact record, whatever is damaged around it."""
        for piece in self._pieces:
            if self.end % BLOCK_BYTES:
                break  # what a writer adds while we read comes too late
            for start in range(0, len(piece), BLOCK_BYTES):
                block = piece[start : start + BLOCK_BYTES]
                offset, self.end = self.end, self.end + len(block)
                yield from self._block(block, offset, 0 if offset else self._first_chunk(block))
        yield from self._ending()

    def _first_chunk(self, block: bytes) -> int:
        """Return where the first chunk of the file starts."""
        if block[: len(_FILE_HEADER)] == _FILE_HEADER:
            return len(_FILE_HEADER)
        if len(block) < len(_FILE_HEADER) and _FILE_HEADER.startswith(block):
            self._open_gap(0, "truncated", f"the file ends inside its header; {UNFINISHED}")
            return len(block)
        what = "the header is not that of a .wandb file of version 0"
        self._open_gap(0, "framing" if _is_chunk(block, len(_FILE_HEADER)) else "not-a-log", what)
        return len(_FILE_HEADER)

    def _block(self, block: bytes, offset: int, at: int) -> Iterator[Record | Defect]:
        """Walk the chunks of one block, from index ``at`` on."""
        end, verified = len(block), self._checksum
        while end - at >= _HEADER_BYTES:
            crc, size, kind = _HEADER.unpack_from(block, at)
            start = at + _HEADER_BYTES
            stop = start + size
            payload = block[start:stop]
            if stop > end or kind not in _SEEDS or (verified and crc32(payload, _SEEDS[kind]) != crc):
                at = self._damaged(block, offset, at)
                continue
            if kind == _FULL:
                if self._gap is not None or self._parts:
                    yield from self._between(offset + at)
                yield offset + at, payload
            else:
                yield from self._part(kind, payload, offset + at)
            at = stop
        if at < end < BLOCK_BYTES and self._gap is None:
            what = f"{end - at} bytes are left, less than the {_HEADER_BYTES} of a chunk header"
            self._open_gap(offset + at, "truncated", f"{what}; {UNFINISHED}")

    def _part(self, kind: int, payload: bytes, offset: int) -> Iterator[Record | Defect]:
        """Take in a chunk that is not a whole record."""
        if kind == _FIRST:
            yield from self._between(offset)
            self._parts, self._start, self._size = [payload], offset, len(payload)
        elif not self._parts:
            self._open_gap(offset, "framing", "the middle of a record without its start")
        else:
            self._size += len(payload)
            # The rest of a long record is counted, and not kept.
            self._parts += [payload] if self._size <= _LONGEST_RECORD else []
            if kind == _LAST:
                parts, self._parts = self._parts, []
                if self._size <= _LONGEST_RECORD:
                    yield self._start, b"".join(parts)
                else:
                    message = f"a record of {self._size} bytes was skipped: no row of numbers is that long"
                    yield Defect(self._path, "malformed", message, self._start)

    def _damaged(self, block: bytes, offset: int, at: int) -> int:
        """Open a gap at a chunk that is none; return the index of the next chunk of the block, or its end."""
        size: int
        _, size, kind = _HEADER.unpack_from(block, at)
        stop = at + _HEADER_BYTES + size
        if kind in _SEEDS and _is_chunk(block, stop):  # what is damaged is its content, or its checksum
            self._open_gap(offset + at, "checksum", "a chunk fails its checksum")
            return stop
        if not any(block[at:]):
            self._open_gap(offset + at, "framing", "zeros stand where a record should")
            return len(block)
        following = _next_start(block, at + 1)
        if kind not in _SEEDS or following < len(block) or stop > BLOCK_BYTES:
            self._open_gap(offset + at, "framing", "the length of a chunk cannot be trusted")
        elif stop > len(block):
            what = f"the last chunk has {len(block) - at} of {stop - at} bytes"
            self._open_gap(offset + at, "truncated", f"{what}; {UNFINISHED}")
        else:
            self._open_gap(offset + at, "checksum", "a chunk fails its checksum")
        return following

    def _open_gap(self, offset: int, kind: DefectKind, message: str) -> None:
        """Bytes from here on are lost, with the record that was not complete yet."""
        if self._gap is None:
            self._gap = _Gap(self._start if self._parts else offset, kind, message)
        self._parts = []

    def _between(self, offset: int) -> Iterator[Defect]:
        """A record starts here: close the gap before it, and give up one that never ended."""
        if self._parts:
            self._open_gap(self._start, "framing", "a record breaks off")
        if self._gap is not None:
            lost, (start, kind, message) = offset - self._gap.start, self._gap
            what = message.partition("; ")[0]
            kind = "framing" if kind == "truncated" else kind
            self._gap = None
            message = f"{what}; {lost} bytes were skipped, the next record starts at byte {offset}"
            yield Defect(self._path, kind, message, start)

    def _ending(self) -> Iterator[Defect]:
        """Tell what the end of the file cuts off."""
        if self._parts:
            what = f"the last record breaks off after {self._size} bytes"
            self._open_gap(self._start, "truncated", f"{what}; {UNFINISHED}")
        if self.end == len(_FILE_HEADER) and self._gap is None:
            self._open_gap(self.end, "truncated", f"the file ends behind its header; {UNFINISHED}")
        if self._gap is not None:
            start, kind, message = self._gap
            told = message if kind == "truncated" else f"{message}; {self.end - start} bytes were skipped"
            yield Defect(self._path, kind, told if kind == "truncated" else f"{told}, no record follows", start)


def _is_chunk(block: bytes, at: int) -> bool:
    """Tell whether an intact chunk starts at an index of a block."""
    if len(block) - at < _HEADER_BYTES:
        return False
    crc, size, kind = _HEADER.unpack_from(block, at)
    stop = at + _HEADER_BYTES + size
    return kind in _SEEDS and stop <= len(block) and crc32(block[at + _HEADER_BYTES : stop], _SEEDS[kind]) == crc


def _next_start(block: bytes, at: int) -> int:
    """Return the index of the next chunk that starts a record, or the end of the block.

    In bytes of any kind one place in a thousand looks like one; where too many do, the rest of the block is given up.
    """
    checked = 0
    for found in _START.finditer(block, at + _HEADER_BYTES - 1):
        start = found.start() - _HEADER_BYTES + 1
        size = _HEADER.unpack_from(block, start)[1]
        if start + _HEADER_BYTES + size <= len(block):
            if _is_chunk(block, start):
                return start
            checked += size
        if checked > _MOST_CHECKED:
            break
    return len(block)
