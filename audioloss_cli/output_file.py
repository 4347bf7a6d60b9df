"""Writing a file that may hold an old report: the new one replaces it in full, or the old one stays as it is."""

import errno
import io
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

_OUT, _ERR = 1, 2
_PIECE = 1 << 20
# The directory takes no new file, or the file is mounted by itself: it can only be written where it is.
_NOT_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)


def encoded(text: str) -> bytes:
    """Return text as UTF-8; what that has no bytes for, such as half of a surrogate pair, is spelled out."""
    return text.encode("utf-8", "backslashreplace")


def write_file(path: Path, content: str | IO[bytes]) -> None:
    """Write UTF-8 to a file, beside it first; its permissions stay, and a link to it stays one.

    Args:
        path: of the file.
        content: a text, or a file from its first byte to its last, however long that is.

    What is no regular file (a FIFO, /dev/stdout) is written to as it is, and so is a file that standard output or
    standard error goes to: it is theirs.

    Raises:
        OSError: it cannot be written; what it held is still there.
    """
    data = io.BytesIO(encoded(content)) if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    old = _status(path)
    if old is None:
        _replace(target, data, None)
    elif stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    elif (number := _standard(old)) is not None:
        _write_all(number, data)
    elif not stat.S_ISREG(old.st_mode):
        with path.open("wb", buffering=0) as stream:
            _write_all(stream.fileno(), data)
    else:
        _renew(target, data, old)


def _renew(target: Path, data: IO[bytes], old: os.stat_result) -> None:
    if not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    try:
        _replace(target, data, old)
    except OSError as error:
        if error.errno not in _NOT_BESIDE:
            raise
        _overwrite(target, data, old)


def _replace(target: Path, data: IO[bytes], old: os.stat_result | None) -> None:
    beside = target.with_name(f".audioloss-{os.getpid()}-{os.urandom(4).hex()}")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            if old is not None:
                _take_after(number, old)
            _write_all(number, data)
        finally:
            os.close(number)
        os.replace(beside, target)  # noqa: PTH105  # Path.replace in turn
    except BaseException:  # an interrupt leaves nothing behind either
        with suppress(OSError):
            beside.unlink()
        raise


def _take_after(number: int, old: os.stat_result) -> None:
    """Owner and group as far as we may give them, and then the permissions."""
    if hasattr(os, "fchown"):
        with suppress(OSError):
            os.fchown(number, old.st_uid, old.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(number, stat.S_IMODE(old.st_mode))


def _overwrite(target: Path, data: IO[bytes], old: os.stat_result) -> None:
    """Where it is; that the disk has room for it is seen before a byte of the old one is gone."""
    number = os.open(target, os.O_WRONLY)
    try:
        size = data.seek(0, os.SEEK_END)
        if hasattr(os, "posix_fallocate") and size > old.st_size:
            try:
                os.posix_fallocate(number, 0, size)
            except OSError as error:
                os.ftruncate(number, old.st_size)
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise
        _write_all(number, data)
        os.ftruncate(number, size)
    finally:
        os.close(number)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _standard(old: os.stat_result) -> int | None:
    """Standard output or standard error, if that is where the file goes."""
    for number in (_OUT, _ERR):
        with suppress(OSError):
            if os.path.samestat(os.fstat(number), old) and not _is_sink(old):
                return number
    return None


def _is_sink(old: os.stat_result) -> bool:
    """A device is the same whoever opens it; a terminal or /dev/null needs no care."""
    return stat.S_ISCHR(old.st_mode)


def _write_all(number: int, data: IO[bytes]) -> None:
    data.seek(0)
    while piece := data.read(_PIECE):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(number, rest) :]
