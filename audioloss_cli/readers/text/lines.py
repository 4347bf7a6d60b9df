r"""The lines of console output: ended by ``\n`` or ``\r``, without colours, in blocks of bounded size."""

import re
from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import Defect
from audioloss_cli.storage.compressed import Damage, compression, pieces
from audioloss_cli.storage.encoding import UTF8_BOM, in_utf8

LONGEST_LINE = 1 << 20
_CHUNK = 1 << 18
_PART_OF_A_LONG_LINE = b"loss"
# ECMA-48: CSI sequences (colours, erasing, moves of the cursor), and OSC ones (titles, links).
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)|[@-Z\\^_])")
# Ray prints what its workers do behind "(RayTrainWorker pid=21873, ip=10.0.0.12) ".
_WORKER = re.compile(rb"^\([\w.:<>-]{1,80}+ pid=\d{1,10}+(?:, ip=[\da-fA-F.:]{1,45}+)?\) ?", re.MULTILINE)
_CURSOR_UP = re.compile(rb"\x1b\[\d*+A")


def cleaned(data: bytes) -> str:
    r"""Return printed text without escape sequences and prefixes of workers, with ``\n`` for ``\r``.

    Zero bytes go as well: PowerShell's ``Tee-Object -Append`` writes UTF-16 behind UTF-8.
    """
    if b"\0" in data:
        data = data.replace(b"\0", b"")
    if b"\x1b" in data:
        data = _ESCAPE.sub(b"", _CURSOR_UP.sub(b"\n", data))
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b" pid=" in data:
        data = _WORKER.sub(b"", data)
    return data.decode("utf-8", "replace")


class TextBlocks:
    """The text of one file.

    Attributes:
        has_content: whether there is anything but white space in it, so far.
    """

    def __init__(self, path: Path) -> None:
        self.has_content = False
        self._path = path

    def __iter__(self) -> Iterator[str | Defect]:
        r"""Yield whole lines, each with ``\n``; a line beyond 1 MiB and damage of a compressed stream are a Defect.

        Raises:
            OSError: the file cannot be opened or read.
        """
        cutter = _Cutter(str(self._path))
        with self._path.open("rb") as stream:
            raw = self._look_at(pieces(stream, compression(stream), lambda: _CHUNK))
            for piece in in_utf8(raw):
                if isinstance(piece, Damage):
                    message = f"{piece.message}; what could be decompressed was read"
                    yield Defect(str(self._path), "compression", message, line=cutter.number)
                    yield from cutter.end()
                else:
                    yield from cutter.feed(piece)
        yield from cutter.end()

    def _look_at(self, raw: Iterator[bytes | Damage]) -> Iterator[bytes | Damage]:
        for piece in raw:
            self.has_content = self.has_content or not isinstance(piece, bytes) or bool(piece.strip())
            yield piece


class _Cutter:
    def __init__(self, path: str) -> None:
        self.number = 1
        self._path = path
        self._rest = b""
        self._skipped = 0  # bytes of a line that is too long
        self._has_loss = False
        self._is_start = True

    def feed(self, data: bytes) -> Iterator[str | Defect]:
        if self._is_start and data:
            self._is_start, data = False, data.removeprefix(UTF8_BOM)
        if self._skipped:
            end = _first_end(data)
            self._skip(data[: end or len(data)])
            if end:
                yield from self._too_long()
            data = data[end:] if end else b""
        data = self._rest + data
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1  # a carriage return may be half of a line's end
        self._rest = data[cut:]
        if cut:
            yield from self._block(data[:cut])
        if len(self._rest) > LONGEST_LINE:
            self._skip(self._rest)
            self._rest = b""

    def _skip(self, data: bytes) -> None:
        self._skipped += len(data)
        self._has_loss |= _PART_OF_A_LONG_LINE in data.lower()

    def _too_long(self) -> Iterator[Defect]:
        """What cannot hold a loss is no loss."""
        if self._has_loss:
            yield Defect(self._path, "malformed", "the line is longer than 1 MiB; it was skipped", line=self.number)
        self.number += 1
        self._skipped, self._has_loss = 0, False

    def _block(self, data: bytes) -> Iterator[str]:
        text = cleaned(data)
        yield text if text.endswith("\n") else text + "\n"
        self.number += data.count(b"\n")

    def end(self) -> Iterator[str | Defect]:
        if self._skipped:
            yield from self._too_long()
        if self._rest:
            yield from self._block(self._rest)
            self._rest = b""


def _first_end(data: bytes) -> int:
    """Behind the first end of a line; 0 if there is none."""
    found = [at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0]
    return min(found) + 1 if found else 0
