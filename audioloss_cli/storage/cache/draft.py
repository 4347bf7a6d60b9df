"""A reading that is being written, part by part: no more of it is in memory than of the log."""

import json
import os
import struct
import time
from array import array
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import astuple
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Literal

from audioloss_cli.model import Cursor, Defect, Note, Series
from audioloss_cli.model.columns import blocks
from audioloss_cli.storage.cache.fingerprint import Fingerprint
from audioloss_cli.storage.cache.header import LONGEST_HEADER
from audioloss_cli.storage.cache.key import Key

MAGIC = b"audioloss reading 3\n"
LENGTH = struct.Struct("<Q")
DIGEST = 16
_A_DAY = 86_400  # seconds


class Draft:
    """The file of a reading under another name, until it is whole.

    ``MAGIC``; for each part of a series its steps, values and wall times, 8 bytes a number, in the byte order of the
    machine; the header, JSON; its length, uint64, little-endian; a digest of all that, 16 bytes. A disk that is full
    stops nothing: the next scan reads the log again.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._draft = place.with_name(f".{place.name}.{os.getpid()}-{os.urandom(8).hex()}")
        self._digest = blake2b(digest_size=DIGEST)
        self._series: list[list[Any]] = []
        self._defects: list[list[Any]] = []
        self._notes: list[str] = []
        self._stream: IO[bytes] | None = None
        self._try(self._open)

    def _open(self) -> None:
        self._stream = self._draft.open("wb")
        self._write(MAGIC)

    def _write(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.write(data)
            self._digest.update(data)

    def add(self, item: Series | Defect | Note) -> None:
        """The next thing that the reader hands over."""
        if isinstance(item, Defect):
            self._defects.append([item.kind, item.message, item.offset, item.line])
            return
        if isinstance(item, Note):
            self._notes.append(item.message)
            return
        self._series.append([item.run, item.tag, item.step_source, list(item.restarts), len(item)])
        self._try(lambda: self._write_columns(item))

    def _write_columns(self, part: Series) -> None:
        codes: tuple[Literal["q", "d"], ...] = ("q", "d", "d")
        for column, code in zip((part.steps, part.values, part.wall_times), codes, strict=True):
            for block in blocks(column):
                self._write(block.tobytes() if hasattr(block, "tobytes") else array(code, block).tobytes())

    def keep(self, key: Key, fingerprint: Fingerprint, mark: Cursor | None) -> None:
        """It is whole: put it in its place in one step, so that another scan finds the old file or the new one."""
        header = {
            "key": key.text,
            "fingerprint": astuple(fingerprint),
            "series": self._series,
            "defects": self._defects,
            "notes": self._notes,
            "mark": [mark.offset, mark.state] if mark else None,
        }
        self._try(lambda: self._finish(json.dumps(header).encode()))

    def _finish(self, header: bytes) -> None:
        if len(header) > LONGEST_HEADER:
            self.discard()
        self._write(header + LENGTH.pack(len(header)))
        if self._stream is not None:
            self._stream.write(self._digest.digest())
            self._stream.close()
            self._clear()
            self._draft.replace(self._place)
            self._stream = None

    def _clear(self) -> None:
        """Move a directory aside, which no file can replace; what is in it is not ours to remove."""
        if self._place.is_dir() and not self._place.is_symlink():
            self._place.rename(self._place.with_name(f"{self._place.name}.{os.urandom(8).hex()}.aside"))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError:
            self.discard()

    def discard(self) -> None:
        """Leave nothing behind, unless it was kept."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()
            with suppress(OSError):
                self._draft.unlink(missing_ok=True)


def forget_drafts(directory: str, processes: Collection[int | None]) -> None:
    """Remove what processes that have been ended were writing, and what has been left for longer than a day."""
    old = time.time() - _A_DAY
    for draft in Path(directory).glob(".*.reading.*-*"):
        owner = draft.name.rpartition(".")[2].partition("-")[0]
        with suppress(OSError):
            if owner in map(str, processes) or draft.stat().st_mtime < old:
                draft.unlink()
