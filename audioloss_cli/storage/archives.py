"""Archives of runs, zip and tar: members that may be logs are unpacked into a temporary directory, within bounds."""

import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import dirname, join, normpath
from stat import S_ISLNK
from typing import IO, Any, NamedTuple

from audioloss_cli.model import Defect
from audioloss_cli.storage.compressed import DamagedStreamError, compression, decompressed
from audioloss_cli.storage.log_file import ZIP_MAGIC, LogFile

# Weights, media and code are no logs.
_NO_LOGS = frozenset(
    re.findall(
        r"\S+",
        """
        .safetensors .bin .pt .pth .ckpt .pt2 .npz .npy .onnx .gguf .h5 .keras .wav .flac .mp3 .ogg .m4a .png
        .jpg .jpeg .gif .mp4 .webm .pdf .so .whl .jar .py .pyc .ipynb .md .html .yaml .yml .toml .model .parquet
        .arrow
        """,
    )
)
_MOST_BYTES, _MOST_MEMBERS = 8 << 30, 100_000
_RATIO, _FREE_BYTES = 100, 64 << 20  # a member may grow so many times, and any member by so much
_CHUNK, _BLOCK = 1 << 20, 512
_ENCRYPTED = 1  # the flag of a member of a zip file
_UNPACK_IT = "unpack the archive and scan the directory"
# RuntimeError: a password is missing; ValueError: a header that makes no sense.
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError),
    DamagedStreamError,
)


@dataclass(slots=True)
class Room:
    """How much may still be unpacked of an archive and of all archives inside of it."""

    bytes: int = _MOST_BYTES
    members: int = _MOST_MEMBERS


@dataclass(slots=True)
class Unpacked:
    """What came out of an archive.

    Attributes:
        members: files that may be logs; the names that they are shown by begin with the archive's.
        others: names, shown in the same way, of files that are no logs by their extension, and were not unpacked.
        empty: names of what has no content in the archive, such as a link that leads out of it.
        defects: what could not be unpacked.
        held: keeps the files while it is kept.
    """

    members: list[LogFile] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    held: Any = None

    def close(self) -> None:
        """Remove the files."""
        self.held.cleanup()


class _Member(NamedTuple):
    """A member of an archive.

    Attributes:
        name: with its directories.
        size, packed: bytes of it, unpacked and as it lies in the archive.
        content: opens it; None if it has none here.
        target: of a link, the member that it leads to if that is there.
        is_encrypted: whether it cannot be read without a password.
    """

    name: str
    size: int
    packed: int
    content: Callable[[], IO[bytes] | None] | None
    target: str = ""
    is_encrypted: bool = False


def is_archive(file: LogFile) -> bool:
    """Tell whether a file that is named like an archive, or begins like one, is one.

    Raises:
        OSError: it cannot be read.
    """
    return file.raw_head.startswith(ZIP_MAGIC) or tarfile.is_tarfile(file.path) or file.is_archive_by_content


def unpack(file: LogFile, room: Room) -> Unpacked:
    """Unpack the members that may be logs.

    Args:
        file: the archive.
        room: what it may take, which becomes less.

    Raises:
        OSError: the archive cannot be read, or the disk is full.
    """
    held = tempfile.TemporaryDirectory(prefix="audioloss-", ignore_cleanup_errors=True)
    directory, unpacked = Path(held.name), Unpacked(held=held)
    places, links = set[str](), list[_Member]()
    try:
        for member in _members(file, directory, room):
            places.add(normpath(member.name))
            if _is_hidden(member.name):
                continue
            if member.target:
                links.append(member)
            elif member.content is None:
                unpacked.empty.append(f"{file.shown}/{member.name}")
            elif Path(member.name).suffix.lower() in _NO_LOGS:
                unpacked.others.append(f"{file.shown}/{member.name}")
            else:
                room.members -= 1
                if room.members < 0:
                    message = f"an archive with more files than are unpacked, {_MOST_MEMBERS:,}; {_UNPACK_IT}"
                    unpacked.defects.append(Defect(file.shown, "compression", message))
                    break
                _unpack_one(member, file.shown, directory, room, unpacked)
    except _DAMAGE as error:
        message = f"the archive is damaged ({error}); what was unpacked before was read"
        unpacked.defects.append(Defect(file.shown, "compression", message))
    places |= {above for place in places for above in _above(place)}
    unpacked.empty += [f"{file.shown}/{link.name}" for link in links if normpath(link.target) not in places]
    return unpacked


def _above(place: str) -> Iterator[str]:
    while place := dirname(place):
        if place == "/":
            return
        yield place


def _unpack_one(member: _Member, shown: str, directory: Path, room: Room, unpacked: Unpacked) -> None:
    """Unpack a member of a name of its own; what is wrong with it alone is no reason to leave out those behind it."""
    name = f"{shown}/{member.name}"
    if member.is_encrypted:
        unpacked.defects.append(Defect(name, "compression", f"the member is encrypted; {_UNPACK_IT}"))
        return
    if member.size > min(room.bytes, _FREE_BYTES + _RATIO * member.packed):
        message = f"the member would unpack to {member.size:,} bytes; {_UNPACK_IT}"
        unpacked.defects.append(Defect(name, "compression", message))
        return
    target = directory / f"{room.members:06d}" / (Path(member.name).name or "member")
    target.parent.mkdir()
    try:
        stream = member.content() if member.content is not None else None
        with target.open("wb") as sink:
            if stream is not None:
                with stream:
                    _copy(stream, sink, member.size, room)
    except _DAMAGE as error:
        message = f"the member is damaged ({error}); what could be unpacked of it was read"
        unpacked.defects.append(Defect(name, "compression", message))
    unpacked.members.append(LogFile(target, name))


def _copy(stream: IO[bytes], sink: IO[bytes], size: int, room: Room) -> None:
    """Copy at most as much as the archive says that there is."""
    while size > 0 and (data := stream.read(min(_CHUNK, size))):
        sink.write(data)
        size -= len(data)
        room.bytes -= len(data)


def _members(file: LogFile, directory: Path, room: Room) -> Iterator[_Member]:
    """Yield every member but directories; its content is to be read before the next is asked for."""
    if file.raw_head.startswith(ZIP_MAGIC):
        with zipfile.ZipFile(file.path) as archive:
            yield from (_zipped(archive, info) for info in archive.infolist() if not info.is_dir())
        return
    path = file.path
    with path.open("rb") as stream:
        if compression(stream) == "zstd":  # which tarfile does not read
            path = directory / "tar"
            most = min(room.bytes, _FREE_BYTES + _RATIO * file.path.stat().st_size)
            with path.open("wb") as sink:
                for piece in decompressed(stream, "zstd", lambda: _CHUNK):
                    most -= sink.write(piece)
                    if most < 0:
                        raise ValueError("it would unpack to very much more than its size")
    yield from _tarred(path, file.path.stat().st_size)


def _zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    name, size = info.filename, info.file_size
    is_encrypted = bool(info.flag_bits & _ENCRYPTED)
    if S_ISLNK(info.external_attr >> 16) and size < _BLOCK and not is_encrypted:
        target = archive.read(info).decode("utf-8", "replace")
        return _Member(name, 0, 0, None, join(dirname(name), target))
    return _Member(name, size, info.compress_size, lambda: archive.open(info), is_encrypted=is_encrypted)


def _tarred(path: Path, packed: int) -> Iterator[_Member]:
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name
            if member.isfile():
                yield _Member(name, member.size, packed, lambda member=member: archive.extractfile(member))  # type: ignore[misc]
            elif member.issym():
                yield _Member(name, 0, 0, None, join(dirname(name), member.linkname))
            elif member.islnk():
                yield _Member(name, 0, 0, None, member.linkname)
            elif not member.isdir():
                yield _Member(name, 0, 0, None)
        # A damaged header ends the members as the end mark does.
        stream = archive.fileobj
        if stream is None or stream.seek(archive.offset) != archive.offset or any(stream.read(_BLOCK)):
            raise tarfile.ReadError(f"no header of a member at byte {archive.offset:,}")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in Path(name).parts if part != "..")
