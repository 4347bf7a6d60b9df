"""Archives of torch.save that lie in the middle of a file, as torch.distributed.checkpoint writes one a chunk."""

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

from audioloss_cli.checkpoints.pickles import read_pickle_stream

_LOCAL = struct.Struct("<4s22x2H")  # of an entry: its signature, the lengths of its name and of what follows that
_LONGEST_VALUE = 1 << 20  # bytes of the pickle of a plain value
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, ValueError, OverflowError, OSError)


class Place(NamedTuple):
    """Bytes of a file."""

    start: int
    length: int


class Archives:
    """Looks into archives of files that are opened once; to be closed."""

    def __init__(self) -> None:
        self._streams: dict[Path, IO[bytes]] = {}

    def close(self) -> None:
        """Close the files."""
        for stream in self._streams.values():
            stream.close()

    def place(self, file: Path, start: int, length: int) -> Place | None:
        """Find the values of the one tensor of an archive; None where there is none, or the archive is damaged."""
        try:
            stream = self._stream(file)
            with zipfile.ZipFile(_Window(stream, start, length)) as archive:
                found = [entry for entry in archive.infolist() if entry.filename.endswith("/data/0")]
                if len(found) != 1 or found[0].compress_type != zipfile.ZIP_STORED:
                    return None
                stream.seek(start + found[0].header_offset)
                _, name, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
                first = found[0].header_offset + _LOCAL.size + name + extra
                if first + found[0].file_size > length:
                    return None
                return Place(start + first, found[0].file_size)
        except _DAMAGED:
            return None

    def value(self, file: Path, start: int, length: int) -> Any:
        """Return the plain value of an archive; None where there is none, or the archive is damaged."""
        try:
            with zipfile.ZipFile(_Window(self._stream(file), start, length)) as archive:
                entry = next(each for each in archive.infolist() if each.filename.endswith("/data.pkl"))
                if entry.file_size > _LONGEST_VALUE:
                    return None
                value, _, _ = read_pickle_stream(io.BytesIO(archive.read(entry)))
                return value
        except (*_DAMAGED, StopIteration):
            return None

    def _stream(self, file: Path) -> IO[bytes]:
        if file not in self._streams:
            self._streams[file] = file.open("rb")
        return self._streams[file]


class _Window(io.RawIOBase):
    """Some bytes of a file, as if they were one."""

    def __init__(self, stream: IO[bytes], start: int, length: int) -> None:
        end = stream.seek(0, io.SEEK_END)
        self._stream, self._start, self._length, self._at = stream, start, min(length, max(end - start, 0)), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = max(min(len(buffer), self._length - self._at), 0)
        self._stream.seek(self._start + self._at)
        found = self._stream.read(count)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
