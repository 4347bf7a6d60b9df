"""Archives of torch.save that lie in the middle of a file, as torch.distributed.checkpoint writes one a chunk."""

import io
import struct
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from audioloss_cli.checkpoints.pickles import Location, PickleContents, Storage, read_pickle_stream
from audioloss_cli.checkpoints.stored import Checksum

_LOCAL = struct.Struct("<4s22x2H")  # of an entry: its signature, the lengths of its name and of what follows that
_HEADER = 8  # bytes of safetensors before its header
_LONGEST_PICKLE = 1 << 20  # bytes; that of a tensor has some 300
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, ValueError, OverflowError, OSError)


class Archives:
    """Looks into archives of files, each of which is opened once.

    Attributes:
        checksums: of the tensors that were found.
    """

    def __init__(self, files: ExitStack) -> None:
        """Open files, which ``files`` closes."""
        self._files = files
        self._streams: dict[Path, IO[bytes]] = {}
        self.checksums: list[Checksum] = []

    def contents(self, file: Path, start: int, length: int) -> PickleContents | None:
        """Return what an archive holds, a ``StoredTensor`` or plain values; None where it is damaged."""
        try:
            if file not in self._streams:
                self._streams[file] = self._files.enter_context(file.open("rb"))
            stream = self._streams[file]
            with zipfile.ZipFile(_Window(stream, start, length)) as archive:
                entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
                pickle = entries.get("data.pkl")
                if pickle is None or pickle.file_size > _LONGEST_PICKLE:
                    return None
                text = archive.read(pickle)
        except _DAMAGED:
            return None

        def locate(storage: Storage) -> Location | None:
            entry = entries.get(f"data/{storage.key}")
            found = None if entry is None else _location(file, stream, start, length, entry)
            if entry and found and entry.CRC:
                self.checksums.append(Checksum(file, found.offset, found.nbytes, entry.CRC))
            return found

        return read_pickle_stream(io.BytesIO(text), file, locate)

    def is_safetensors(self, file: Path, start: int) -> bool:
        """Tell whether a chunk begins as a file of safetensors does, which torch can be told to write."""
        stream = self._streams.get(file)
        if stream is None:
            return False
        stream.seek(start + _HEADER)
        return stream.read(1) == b"{"


def _location(file: Path, stream: IO[bytes], start: int, length: int, entry: zipfile.ZipInfo) -> Location | None:
    """Find the bytes of an entry that is not compressed; None where the archive does not have them."""
    if entry.header_offset > length:
        return None
    stream.seek(start + entry.header_offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or entry.compress_type != zipfile.ZIP_STORED:
        return None
    _, name, extra = _LOCAL.unpack(header)
    first = entry.header_offset + _LOCAL.size + name + extra
    return Location(file, start + first, entry.file_size) if first + entry.file_size <= length else None


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
