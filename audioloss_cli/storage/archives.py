"""Archives of runs, zip and tar: members that may be logs are unpacked into a temporary directory, within bounds."""

import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from audioloss_cli.model import Defect
from audioloss_cli.storage.log_file import LogFile

_ZIP = b"PK\x03\x04"
# Weights, media and code are no logs; zip files of these names are no archives of runs either.
_NO_LOGS = frozenset(
    re.findall(
        r"\S+",
        """
        .safetensors .bin .pt .pth .ckpt .pt2 .npz .npy .onnx .gguf .h5 .keras .wav .flac .mp3 .ogg .m4a .png
        .jpg .jpeg .gif .mp4 .webm .pdf .so .whl .jar .py .pyc .ipynb .md .html .yaml .yml .toml .model .parquet
        .arrow .zip
        """,
    )
)
_MOST_BYTES, _MOST_MEMBERS = 8 << 30, 100_000
_RATIO, _FREE_BYTES = 100, 64 << 20  # a member may grow so many times, and any member by so much
_CHUNK = 1 << 20
# RuntimeError: encrypted; ValueError: a header that makes no sense.
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError)


@dataclass(slots=True)
class Unpacked:
    """What came out of an archive.

    Attributes:
        members: files that may be logs; the names that they are shown by begin with the archive's.
        defects: what could not be unpacked.
        held: keeps the files while it is kept.
    """

    members: list[LogFile] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    held: Any = None

    def close(self) -> None:
        """Remove the files."""
        self.held.cleanup()


def is_archive(file: LogFile) -> bool:
    """Tell whether a file that is named like an archive holds one.

    Raises:
        OSError: it cannot be read.
    """
    if file.shown.lower().endswith(".zip"):
        return file.raw_head.startswith(_ZIP)
    return tarfile.is_tarfile(file.path)


def unpack(file: LogFile) -> Unpacked:
    """Unpack the members that may be logs.

    Raises:
        OSError: the archive cannot be read, or the disk is full.
    """
    directory = tempfile.TemporaryDirectory(prefix="audioloss-", ignore_cleanup_errors=True)
    unpacked = Unpacked(held=directory)
    room = _MOST_BYTES
    try:
        for number, (name, size, packed, stream) in enumerate(_members(file)):
            shown = f"{file.shown}/{name}"
            if number >= _MOST_MEMBERS or size > min(room, _FREE_BYTES + _RATIO * packed):
                message = f"the member would unpack to {size:,} bytes; unpack the archive and scan the directory"
                unpacked.defects.append(Defect(shown, "compression", message))
                continue
            target = Path(directory.name) / f"{number:06d}" / (Path(name).name or "member")
            target.parent.mkdir()
            with target.open("wb") as sink:
                room -= _copied(stream, sink, size)
            unpacked.members.append(LogFile(target, shown))
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        message = f"the archive is damaged or encrypted ({error}); what was unpacked before was read"
        unpacked.defects.append(Defect(file.shown, "compression", message))
    return unpacked


def _copied(stream: IO[bytes], sink: IO[bytes], size: int) -> int:
    """Copy at most as much as the archive says that there is."""
    left = size
    while left > 0 and (data := stream.read(min(_CHUNK, left))):
        sink.write(data)
        left -= len(data)
    return size - left


def _members(file: LogFile) -> Iterator[tuple[str, int, int, IO[bytes]]]:
    """Yield name, size, packed size and content of each member that may be a log."""
    if file.shown.lower().endswith(".zip"):
        with zipfile.ZipFile(file.path) as archive:
            for info in archive.infolist():
                if not info.is_dir() and _may_be_log(info.filename):
                    with archive.open(info) as stream:
                        yield info.filename, info.file_size, info.compress_size, stream
        return
    packed = file.path.stat().st_size
    with tarfile.open(file.path) as archive:
        for member in archive:
            if member.isfile() and _may_be_log(member.name):
                content = archive.extractfile(member)
                if content is not None:
                    yield member.name, member.size, packed, content


def _may_be_log(name: str) -> bool:
    path = Path(name)
    return path.suffix.lower() not in _NO_LOGS and not any(part.startswith(".") for part in path.parts if part != "..")
