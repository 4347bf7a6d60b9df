"""What a reader handed over of one log, as it was kept; ``Draft`` says how."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, Literal

from audioloss_cli.model import Cursor, Defect, Note, Series
from audioloss_cli.storage.cache.draft import DIGEST, LENGTH, MAGIC
from audioloss_cli.storage.cache.fingerprint import Fingerprint
from audioloss_cli.storage.cache.header import BYTES_OF_A_POINT, LONGEST_HEADER, is_sound
from audioloss_cli.storage.cache.key import Key
from audioloss_cli.storage.long_column import POINTS_IN_MEMORY, LongColumn
from audioloss_cli.storage.spill_file import SpillFile

_BLOCK = 1 << 20  # bytes
# Steps, values and wall times of a part follow each other.
_COLUMNS: tuple[tuple[Literal["q", "d"], int], ...] = (("q", 0), ("d", 1), ("d", 2))


@dataclass(slots=True)
class Reading:
    """Everything a reader handed over.

    Attributes:
        fingerprint: of the log.
        series: whole, one a tag, in the reader's order.
        defects: in the reader's order.
        notes: how the log was read.
        mark: where the reader can go on, if it can.
    """

    fingerprint: Fingerprint
    series: list[Series]
    defects: list[Defect]
    mark: Cursor | None
    notes: list[str] = field(default_factory=list)

    def items(self, path: Path) -> Iterator[Series | Defect | Note]:
        """All of it, as if the log had been read again."""
        yield from self.series
        yield from (replace(defect, path=str(path)) for defect in self.defects)
        yield from (Note(str(path), message) for message in self.notes)

    def to_go_on_from(self, path: Path, size: int) -> "Reading | None":
        """What still holds of a log that is ``size`` bytes long now and has grown; None if it has to be read anew."""
        seen, mark = self.fingerprint, self.mark
        if mark is None or mark.offset > size or not seen.begins(path, size):
            return None
        whole = seen.modified is not None and mark.offset >= seen.size
        if not whole and any(defect.offset is None and defect.kind != "truncated" for defect in self.defects):
            return None  # nobody can say whether it is of what stands behind the mark and will be read again
        defects = [defect for defect in self.defects if whole or _is_before(defect, mark.offset)]
        return replace(self, defects=defects)

    @classmethod
    def load(cls, place: Path, key: Key) -> "Reading | None":
        """The reading in a file; None if there is none that can be trusted, whatever stands in its place."""
        try:
            with _opened(place) as stream:
                header = _header(stream)
                return cls._from(header, stream) if header is not None and header["key"] == key.text else None
        except (OSError, ValueError, RecursionError):
            return None

    @classmethod
    def _from(cls, header: dict[str, Any], stream: IO[bytes]) -> "Reading":
        mark = header["mark"]
        return cls(
            Fingerprint(*header["fingerprint"]),
            _series(header["series"], stream),
            [Defect("", kind, message, offset, line) for kind, message, offset, line in header["defects"]],
            Cursor(*mark) if mark else None,
            header["notes"],
        )


def _opened(place: Path) -> IO[bytes]:
    """Open a reading without waiting for anybody, as one would at a pipe.

    Raises:
        OSError: there is none, or what is there is no ordinary file.
    """
    if not S_ISREG(place.stat().st_mode):  # to open a device may do something to it
        raise FileNotFoundError(place)
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    stream = os.fdopen(os.open(place, flags), "rb")
    if S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise FileNotFoundError(place)


def _header(stream: IO[bytes]) -> dict[str, Any] | None:
    """What describes the columns in front of it; None if ``Draft`` never wrote this.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    end = _trusted(stream)
    if end is None:
        return None
    stream.seek(end - LENGTH.size)
    (length,) = LENGTH.unpack(stream.read(LENGTH.size))
    start = end - LENGTH.size - length
    if length > LONGEST_HEADER or start < len(MAGIC):
        return None
    stream.seek(start)
    header = json.loads(stream.read(length))
    return header if is_sound(header, start - len(MAGIC)) else None


def _trusted(stream: IO[bytes]) -> int | None:
    """Where the digest begins, if it is that of all bytes before; None if ``Draft`` never wrote this."""
    end = stream.seek(0, 2) - DIGEST
    stream.seek(0)
    if stream.read(len(MAGIC)) != MAGIC or end < len(MAGIC) + LENGTH.size:
        return None
    digest, left = blake2b(MAGIC, digest_size=DIGEST), end - len(MAGIC)
    while left:
        data = stream.read(min(_BLOCK, left))
        if not data:
            return None
        digest.update(data)
        left -= len(data)
    return end if stream.read() == digest.digest() else None


def _series(parts: Sequence[Sequence[Any]], stream: IO[bytes]) -> list[Series]:
    """One series a tag: a log that is scanned every minute must not fall to bits."""
    late = sum(points for *_, points in parts) > POINTS_IN_MEMORY
    file = SpillFile.over(stream)
    found: dict[tuple[str, str], Series] = {}
    place = len(MAGIC)
    for run, tag, source, restarts, points in parts:
        columns = [LongColumn(file, code, [(place + 8 * points * turn, points)]) for code, turn in _COLUMNS]
        steps, values, times = columns if late else [column[:] for column in columns]
        part = Series(tag, steps, values, times, restarts, source, run)
        if (run, tag) in found:
            found[run, tag].extend(part)
        else:
            found[run, tag] = part
        place += BYTES_OF_A_POINT * points
    return list(found.values())


def _is_before(defect: Defect, offset: int) -> bool:
    """Whether it is of what stands before the mark; an unfinished record is not."""
    return defect.offset is not None and defect.offset < offset
