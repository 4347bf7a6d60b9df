"""Zip archives of strangers: the table of contents is looked at before anything is inflated, mapped or read.

Layout: APPNOTE.TXT of PKWARE, 4.3.7 to 4.3.16. torch writes its archives with miniz and never compresses; what it maps
of a compressed entry are the compressed bytes.
"""

import errno
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from audioloss_cli.checkpoints.claims import most_bytes
from audioloss_cli.checkpoints.stored import Fault, ReadError
from audioloss_cli.checkpoints.words import clipped
from audioloss_cli.model import Severity

_END, _LOCATOR, _END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<26s2H")
_ENCRYPTED = 1
_AGAIN = "copy or save it again"
_PIECE, _SHOWN = 1 << 20, 3
_LEAST_END = 22  # bytes of the record that ends an archive
_LONGEST_END = 1 << 17  # bytes from the last entry of a table of contents to the end of a file
LONGEST_REMAINS = 64 << 20  # bytes of a file that are looked at where it has no table of contents any more
#: What ``zipfile`` raises of a damaged archive.
ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, ValueError, OverflowError)


class ArchiveProblem(NamedTuple):
    """What is wrong with an archive: critical where nothing of it may be believed."""

    severity: Severity
    message: str


def check_archive(source: Path | IO[bytes], name: object) -> dict[str, zipfile.ZipInfo]:
    """Hold an archive of torch to what torch writes, and every entry to its checksum.

    torch can be told to write no checksums, which shows as zeros.

    Args:
        source: a path or a seekable stream.
        name: what to call it in messages.

    Returns:
        The entries by their names without the directory that all of them lie in.

    Raises:
        ReadError: an entry is damaged or compressed, or entries overlap, or the end of the file is missing.
    """
    try:
        with open_archive(source) as archive:
            problem = _problem_of_end(archive) or _problem_of_names(archive.namelist())
            problem = problem or _problem_of_places(archive) or _problem_of_compression(archive.infolist())
            problem = problem or _wrong_checksum(archive)
            entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
    except ERRORS as error:
        raise ReadError(f"{name} is damaged or cut short ({error}); {_AGAIN}") from error
    if problem:
        raise ReadError(f"{name}: {problem}")
    return entries


def open_archive(source: Path | IO[bytes]) -> zipfile.ZipFile:
    """Read the table of contents of an archive.

    Raises:
        zipfile.BadZipFile: it is damaged, or there is none; and the others of ``ERRORS``.
        OSError: the file cannot be read.
    """
    try:
        return zipfile.ZipFile(source)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a place before the file begins
            raise
        raise zipfile.BadZipFile("Bad offset for central directory") from error


def problems(archive: zipfile.ZipFile) -> list[ArchiveProblem]:
    """Return everything by which the table of contents of an archive differs from what torch writes."""
    entries = archive.infolist()
    critical = [_problem_of_places(archive)]
    others = [_problem_of_end(archive), _problem_of_names(archive.namelist()), _problem_of_compression(entries)]
    whole, size = sum(entry.file_size for entry in entries), _size_of(archive)
    stored = [each for each in entries if each.compress_type == zipfile.ZIP_STORED]
    critical += [
        f"{clipped(each.filename, 80)} has two sizes; {_AGAIN}"
        for each in stored
        if each.compress_size != each.file_size
    ][:1]
    if whole > most_bytes(size):
        critical.append(f"its {size:,} bytes say that they inflate to {whole:,}, which is not tried")
    return [
        ArchiveProblem(severity, text)
        for severity, texts in ((Severity.CRITICAL, critical), (Severity.WARNING, others))
        for text in texts
        if text
    ]


def data_offset(stream: IO[bytes], entry: zipfile.ZipInfo) -> int:
    """Return where the bytes of an entry begin.

    Raises:
        struct.error: the file ends before.
    """
    if entry.header_offset < 0:
        raise zipfile.BadZipFile(f"{clipped(entry.filename, 80)} lies before the beginning")
    stream.seek(entry.header_offset)
    *_, name, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
    return entry.header_offset + _LOCAL.size + int(name) + int(extra)


def read_entry(stream: IO[bytes], entry: zipfile.ZipInfo, size: int) -> bytes:
    """Return the bytes of an entry of an archive of ``size`` bytes, inflated; no more than it says it has.

    Raises:
        zlib.error, struct.error, zipfile.BadZipFile: it is damaged.
    """
    start = data_offset(stream, entry)
    stream.seek(start)
    packed = stream.read(min(entry.compress_size, max(size - start, 0)))
    if entry.compress_type == zipfile.ZIP_STORED:
        return packed
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"{clipped(entry.filename, 80)} is compressed in a way that is not known")
    return zlib.decompressobj(-15).decompress(packed, min(entry.file_size, most_bytes(size)))


def is_cut_short(stream: IO[bytes]) -> bool:
    """Tell whether an archive has no end, so that whoever wrote it was interrupted."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(max(size - _LONGEST_END, 0))
    end = stream.read(_LONGEST_END)
    found = end.rfind(b"PK\x05\x06")
    return found < 0 or len(end) - found < _LEAST_END


def first_data_offset(stream: IO[bytes]) -> int:
    """Return where the bytes of the first entry begin; 0 where there is none."""
    stream.seek(0)
    head = stream.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
        return 0
    *_, name, extra = _LOCAL.unpack(head)
    return _LOCAL.size + int(name) + int(extra)


def checksum_faults(path: Path, progress: Callable[[int, int, str], None] | None = None) -> list[Fault]:
    """Hold every entry of an archive to its checksum, which means to read all of the file; nothing for other files.

    torch can be told to write no checksums, which shows as zeros: then nothing is found.

    Args:
        path: of a file of any kind.
        progress: is called with the bytes done, the bytes in all, and the name of the file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\x03\x04":
            return []
        try:
            with open_archive(stream) as archive:
                entries = archive.infolist()
                is_bad = any(each.severity is Severity.CRITICAL for each in problems(archive))
        except ERRORS:
            return []  # opening it has told
        if is_bad or all(entry.CRC == 0 for entry in entries):
            return []
        return _wrong_checksums(path, stream, entries, progress)


def _wrong_checksums(
    path: Path, stream: IO[bytes], entries: list[zipfile.ZipInfo], progress: Callable[[int, int, str], None] | None
) -> list[Fault]:
    wrong, done, whole = list[str](), 0, sum(entry.compress_size for entry in entries)
    for entry in entries:
        try:
            checksum = _checksum(stream, entry)
        except ERRORS:
            checksum = None
        if checksum != entry.CRC:
            wrong.append(entry.filename)
        done += entry.compress_size
        if progress is not None:
            progress(done, whole, path.name)
    if not wrong:
        return []
    names = ", ".join(clipped(name, 80) for name in wrong[:_SHOWN])
    text = f"{path}: the bytes of {names} have changed since they were written: the checksum is another"
    text += f" ({len(wrong)} entries in all)" if len(wrong) > _SHOWN else ""
    return [Fault("damaged-file", Severity.CRITICAL, text, {"entries": wrong[:100]})]


def _checksum(stream: IO[bytes], entry: zipfile.ZipInfo) -> int:
    """CRC-32 of what an entry holds, piece by piece; ``zlib`` lets other threads run meanwhile."""
    stream.seek(data_offset(stream, entry))
    inflater = None if entry.compress_type == zipfile.ZIP_STORED else zlib.decompressobj(-15)
    left, made, checksum = entry.compress_size, 0, 0
    while left > 0:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise EOFError
        left -= len(piece)
        while piece:
            plain = piece if inflater is None else inflater.decompress(piece, _PIECE)
            made += len(plain)
            checksum = zlib.crc32(plain, checksum)
            piece = b"" if inflater is None or made > entry.file_size else inflater.unconsumed_tail
    return checksum


def read_stored(stream: IO[bytes], entry: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry of a checked archive, whether or not it has a checksum.

    Raises:
        struct.error: the file ends before.
    """
    stream.seek(entry.header_offset)
    *_, name, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
    stream.seek(name + extra, 1)
    return stream.read(entry.file_size)


def check_compressed(archive: zipfile.ZipFile, size: int) -> str:
    """What is wrong with an archive of ``size`` bytes, whose entries may be deflated, as numpy's are; or nothing."""
    problem = _problem_of_places(archive)
    if problem:
        return problem
    entries = archive.infolist()
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        return "its compression is none of numpy's; save it again with numpy.savez"
    whole = sum(entry.file_size for entry in entries)
    if whole > most_bytes(size):
        return f"its {size:,} bytes say that they inflate to {whole:,}, which is not tried; save it with numpy.savez"
    return ""


def _problem_of_end(archive: zipfile.ZipFile) -> str:
    """Where the table of contents lies must be beyond doubt, or two programs read two archives out of one file."""
    stream = archive.fp
    assert stream is not None  # noqa: S101  # it is open
    size = stream.seek(0, 2)
    stream.seek(max(size - _END.size - _LOCATOR.size - _END_64.size, 0))
    tail = stream.read()
    signature, _, _, _, _, length, start, comment = _END.unpack(tail[-_END.size :])
    end = size - _END.size
    locator = tail[-_END.size - _LOCATOR.size : -_END.size]
    if locator.startswith(b"PK\x06\x07"):
        end -= _LOCATOR.size + _END_64.size
        fields = _END_64.unpack(tail[: _END_64.size])
        if fields[0] != b"PK\x06\x06" or _LOCATOR.unpack(locator)[2] != end:
            return f"the end of the archive is damaged; {_AGAIN}"
        length, start = fields[-2:]
    if signature != b"PK\x05\x06" or comment or start + length != end:
        return f"something stands before or behind the archive, or its end is damaged; {_AGAIN}"
    return ""


def _size_of(archive: zipfile.ZipFile) -> int:
    assert archive.fp is not None  # noqa: S101  # it is open
    return archive.fp.seek(0, 2)


def _problem_of_names(names: list[str]) -> str:
    """Torch looks entries up without regard to case, and takes the first of two."""
    root = names[0].partition("/")[0] + "/" if names else ""
    if len({name.casefold() for name in names}) < len(names) or not all(name.startswith(root) for name in names):
        return f"two of its entries go by one name; {_AGAIN}"
    return ""


def _problem_of_places(archive: zipfile.ZipFile) -> str:
    """Entries that overlap make a small file large; a lying size makes the next entry part of this one."""
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    ends = [entry.header_offset for entry in entries[1:]] + [archive.start_dir]
    for entry, end in zip(entries, ends, strict=False):
        if entry.header_offset < 0:
            return f"{clipped(entry.filename, 80)} lies before the beginning of the file; {_AGAIN}"
        if entry.header_offset + _LOCAL.size + entry.compress_size > end:
            return f"{clipped(entry.filename, 80)} reaches into what follows it; {_AGAIN}"
        if entry.flag_bits & _ENCRYPTED:
            return f"{clipped(entry.filename, 80)} is encrypted; save it without a password"
    return ""


def _problem_of_compression(entries: list[zipfile.ZipInfo]) -> str:
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            return (
                f"{clipped(entry.filename, 80)} is compressed, which torch.save never does and torch.load misreads: "
                "unzip it and pack it again with zip -0, or save it again"
            )
    return ""


def _wrong_checksum(archive: zipfile.ZipFile) -> str:
    unchecked = all(entry.CRC == 0 for entry in archive.infolist())
    bad = None if unchecked else archive.testzip()
    return "" if bad is None else f"the checksum of {clipped(bad, 80)} is wrong, its bytes have changed; {_AGAIN}"
