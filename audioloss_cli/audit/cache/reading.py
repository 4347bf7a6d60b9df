"""What a reader handed over of one log, in memory and as bytes.

Bytes: ``MAGIC``; the length of the header, uint64, little-endian; the header, JSON; for each part of a series its
steps, values and wall times, 8 bytes a number, in the byte order of the machine; a digest of all that, 16 bytes.
"""

import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from audioloss_cli.audit.cache.fingerprint import Fingerprint
from audioloss_cli.audit.cache.key import Key
from audioloss_cli.records import Defect, Mark, Series

MAGIC = b"audioloss reading 1\n"
_LENGTH = struct.Struct("<Q")
_DIGEST = 16
_START = len(MAGIC) + _LENGTH.size


@dataclass(slots=True)
class Reading:
    """Everything a reader handed over.

    Attributes:
        fingerprint: of the log; None if nothing may be concluded from this reading later.
        series: in the reader's order and parts.
        defects: in the reader's order.
        mark: where the reader can go on, if it can.
    """

    fingerprint: Fingerprint | None
    series: list[Series] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    mark: Mark | None = None

    def add(self, item: Series | Defect) -> None:
        """The next thing that the reader hands over."""
        if isinstance(item, Defect):
            self.defects.append(item)
        else:
            self.series.append(item)

    def items(self, path: Path) -> Iterator[Series | Defect]:
        """All of it, as if the log had been read again."""
        yield from self.series
        yield from (replace(defect, path=str(path)) for defect in self.defects)

    def to_go_on_from(self, path: Path, size: int) -> "Reading | None":
        """What still holds of a log that is ``size`` bytes long now and has grown; None if it has to be read anew."""
        seen, mark = self.fingerprint, self.mark
        if seen is None or mark is None or mark.offset > size or not seen.begins(path, size):
            return None
        whole = seen.modified is not None and mark.offset >= seen.size
        if not whole and any(defect.offset is None and defect.kind != "truncated" for defect in self.defects):
            return None  # nobody can say whether it is of what stands behind the mark and will be read again
        defects = [defect for defect in self.defects if whole or _is_before(defect, mark.offset)]
        return Reading(None, _joined(self.series), defects, mark)

    def pack(self, key: Key) -> bytes:
        """As bytes."""
        series = [[part.run, part.tag, part.step_source, part.restarts, len(part)] for part in self.series]
        defects = [[defect.kind, defect.message, defect.offset, defect.line] for defect in self.defects]
        header = {
            "key": key.text,
            "fingerprint": astuple(self.fingerprint) if self.fingerprint else None,
            "series": series,
            "defects": defects,
            "mark": [self.mark.offset, self.mark.state] if self.mark else None,
        }
        text = json.dumps(header).encode()
        columns = [column for part in self.series for column in _columns_of(part)]
        packed = b"".join([MAGIC, _LENGTH.pack(len(text)), text, *columns])
        return packed + _digest(packed)

    @classmethod
    def load(cls, place: Path, key: Key) -> "Reading | None":
        """The reading in a file; None if there is none that can be trusted."""
        try:
            return cls.unpack(place.read_bytes(), key)
        except OSError:
            return None

    @classmethod
    def unpack(cls, packed: bytes, key: Key) -> "Reading | None":
        """None for bytes that ``pack`` did not make for this key."""
        body, digest = memoryview(packed)[:-_DIGEST], packed[-_DIGEST:]
        if not packed.startswith(MAGIC) or len(body) < _START or _digest(body) != digest:
            return None
        try:
            (length,) = _LENGTH.unpack_from(packed, len(MAGIC))
            header = json.loads(packed[_START : _START + length])
            if header["key"] != key.text:
                return None
            return cls._from(header, body[_START + length :])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    @classmethod
    def _from(cls, header: dict[str, Any], columns: memoryview) -> "Reading":
        mark, seen = header["mark"], header["fingerprint"]
        return cls(
            Fingerprint(*seen) if seen else None,
            list(_parts(header["series"], columns)),
            [Defect("", kind, message, offset, line) for kind, message, offset, line in header["defects"]],
            Mark(*mark) if mark else None,
        )


def _is_before(defect: Defect, offset: int) -> bool:
    """Whether it is of what stands before the mark; an unfinished record is not."""
    return defect.offset is not None and defect.offset < offset


def _joined(parts: Sequence[Series]) -> list[Series]:
    """One part a series, in the order of their first ones: a log that is scanned every minute must not fall to bits."""
    found: dict[tuple[str, str], list[Series]] = {}
    for part in parts:
        found.setdefault((part.run, part.tag), []).append(part)
    return [Series.join(each) for each in found.values()]


def _parts(listed: Sequence[Any], columns: memoryview) -> Iterator[Series]:
    start = 0
    for run, tag, source, restarts, points in listed:
        ends = [start + 8 * points * number for number in range(4)]
        if ends[-1] > len(columns):
            raise ValueError("columns are missing")
        steps, values, times = (columns[first:end] for first, end in pairwise(ends))
        yield Series(
            tag, array("q", bytes(steps)), array("d", bytes(values)), array("d", bytes(times)), restarts, source, run
        )
        start = ends[-1]


def _columns_of(part: Series) -> Iterator[bytes]:
    yield _bytes_of(part.steps, "q")
    yield _bytes_of(part.values, "d")
    yield _bytes_of(part.wall_times, "d")


def _bytes_of(column: Any, code: Literal["q", "d"]) -> bytes:
    """Of an array of the standard library or numpy's, or of any other sequence."""
    return bytes(column.tobytes() if hasattr(column, "tobytes") else array(code, column).tobytes())


def _digest(packed: bytes | memoryview) -> bytes:
    return blake2b(packed, digest_size=_DIGEST).digest()
