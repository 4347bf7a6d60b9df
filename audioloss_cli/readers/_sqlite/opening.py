"""A SQLite database that another program may be writing: read without a lock, and without a file beside it.

A database with nothing beside it is read where it lies, as immutable: SQLite then takes no lock, so that it neither
waits for a training nor makes one wait. A write-ahead log (``-wal``) or a rollback journal (``-journal``) beside it
belongs to it, and SQLite could only read the two together with locks and a ``-shm`` file of its own: they are copied
into a temporary directory, and the copy is opened. So is a compressed database, and one that comes through a pipe.
"""

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG

from audioloss_cli.model import Defect, Series
from audioloss_cli.model.series import UNFINISHED
from audioloss_cli.readers._sqlite.database import Database, Table
from audioloss_cli.storage.compressed import DamagedStreamError, compression, decompressed
from audioloss_cli.storage.log_file import LogFile

MAGIC = b"SQLite format 3\0"
_BESIDE = ("-wal", "-journal")
_WAL_HEADER_BYTES = 32  # with two random numbers that change when the log starts anew
_WAL_BYTES_TO_SEARCH = 4 << 20
_LARGEST_COPY = 8 << 30
_COPY_BYTES = 1 << 20
_TRIES, _PAUSE = 4, 0.05  # seconds until a writer may have finished what it was at
_LONGEST_VALUE = 16 << 20
_TEMPORARY_BYTES_KEPT_FREE = 64 << 20


class _Refusal(Exception):  # noqa: N818  # it becomes a Defect
    """Why a database is not read."""

    def __init__(self, defect: Defect) -> None:
        self.defect = defect


def read_database(path: Path, read: Callable[[Database], Iterator[Series | Defect]]) -> Iterator[Series | Defect]:
    """Yield what ``read`` finds in a database, and then the defects of the database itself.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with opened(path) as database:
        if isinstance(database, Defect):
            yield database
        elif database is not None:
            yield from read(database)
    if isinstance(database, Database):
        yield from database.defects


def holds(file: LogFile, table: Table) -> bool:
    """Tell whether a file is a database with this table, without a copy of it.

    Raises:
        OSError: the file cannot be opened or read.
    """
    if not file.head.startswith(MAGIC):
        return False
    with file.path.open("rb") as stream:
        if not _is_plain(stream):
            return _names(file.head, table)
    with _connected(_immutable(file.path)) as connection:
        if Database(file.path, connection).has(table):
            return True
    wal = _beside(file.path)[0]
    if not _size(wal):
        return False
    with wal.open("rb") as stream:  # a young database may lie there altogether
        return _names(stream.read(_WAL_BYTES_TO_SEARCH), table)


def _names(content: bytes, table: Table) -> bool:
    """Tell whether the statement that creates a table stands somewhere."""
    start = re.search(rb"CREATE TABLE [^(]{0,40}\b%b\b" % table.name.encode(), content)
    return start is not None and all(name.encode() in content[start.end() :] for name in table.columns)


def _is_plain(stream: BufferedReader) -> bool:
    """Tell whether an open file is one that SQLite can open itself."""
    return compression(stream) is None and S_ISREG(os.fstat(stream.fileno()).st_mode)


def _immutable(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


@contextmanager
def opened(path: Path) -> Iterator[Database | Defect | None]:
    """Open a database; a Defect for one that is none, or that cannot be copied; None for an empty file.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as stream:
        begin = stream.peek(len(MAGIC))[: len(MAGIC)]
        plain = _is_plain(stream)
        if not begin:
            yield None
        elif plain and begin != MAGIC:
            yield Defect(str(path), "not-a-log", "the file is no SQLite database, or its first bytes are damaged", 0)
        elif plain and not any(map(_size, _beside(path))):
            before = _print_of(path)
            with _connected(_immutable(path)) as connection:
                database = Database(path, connection)
                yield database
            if _print_of(path) != before:
                database.tell(f"the database changed while it was read; {UNFINISHED}")
        else:
            with _copied(path, stream, plain=plain) as found:
                yield found


@contextmanager
def _copied(path: Path, stream: BufferedReader, *, plain: bool) -> Iterator[Database | Defect]:
    """Open a copy in a temporary directory, which is gone afterwards."""
    import tempfile  # noqa: PLC0415  # only for databases with something beside them

    with tempfile.TemporaryDirectory(prefix="audioloss-", ignore_cleanup_errors=True) as directory:
        copy = Path(directory, "copy.db")
        try:
            whole = _copy_all(path, copy) if plain else _decompress(path, stream, copy)
        except _Refusal as refusal:
            yield refusal.defect
            return
        with _connected(copy.as_uri()) as connection:
            database = Database(path, connection)
            if not whole:
                database.tell(f"the database changed while it was read; {UNFINISHED}")
            yield database


@contextmanager
def _connected(uri: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(uri, timeout=0, isolation_level=None, uri=True, check_same_thread=False)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        # A schema that may be written is read as far as it is intact, and a file that was cut short opened.
        for setting in ("cell_size_check = ON", "trusted_schema = OFF", "mmap_size = 0", "writable_schema = ON"):
            connection.execute(f"PRAGMA {setting}")
        yield connection
    finally:
        connection.close()


def _copy_all(path: Path, copy: Path) -> bool:
    """Copy a database and what lies beside it; False if a writer was at it each time.

    The database is copied first. What a writer moves into it meanwhile is still in the log as long as that does not
    start anew, which its header tells; what a writer changes in it without a log changes its time.
    """
    for _ in range(_TRIES):
        before = _state(path)
        for suffix in ("", *_BESIDE):
            _copy_file(path, Path(f"{path}{suffix}"), Path(f"{copy}{suffix}"))
        if _state(path) == before:
            return True
        time.sleep(_PAUSE)
    return False


def _copy_file(path: Path, source: Path, target: Path) -> None:
    try:
        with source.open("rb") as stream:
            _check_room(path, _size(source), target.parent)
            with target.open("wb") as out:
                shutil.copyfileobj(stream, out, _COPY_BYTES)
    except FileNotFoundError:
        if source == path:
            raise
        target.unlink(missing_ok=True)


def _decompress(path: Path, stream: BufferedReader, copy: Path) -> bool:
    """Copy what a compressed file, or a pipe, holds."""
    size = 0
    with copy.open("wb") as out:
        try:
            for piece in decompressed(stream, compression(stream), lambda: _COPY_BYTES):
                size += len(piece)
                _check_room(path, size, copy.parent)
                out.write(piece)
        except DamagedStreamError as error:
            raise _Refusal(Defect(str(path), "compression", str(error))) from None
    return True


def _check_room(path: Path, size: int, directory: Path) -> None:
    """Refuse what is too large.

    Raises:
        _Refusal: there is not enough room for so many bytes more.
    """
    free = shutil.disk_usage(directory).free - _TEMPORARY_BYTES_KEPT_FREE
    if size > min(_LARGEST_COPY, free):
        message = (
            f"there is no room in {directory.parent} for a copy of the database ({size} bytes and more); "
            "set TMPDIR to a larger directory, or end the program that writes it"
        )
        raise _Refusal(Defect(str(path), "unreadable", message))


def _state(path: Path) -> object:
    """Return what is different once a writer has changed the database, other than by adding to its log."""
    wal, journal = _beside(path)
    try:
        with wal.open("rb") as stream:
            return True, stream.read(_WAL_HEADER_BYTES)
    except FileNotFoundError:
        return _print_of(path), _print_of(journal) if journal.exists() else None


def _print_of(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _beside(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in _BESIDE]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
