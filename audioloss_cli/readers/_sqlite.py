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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple

from audioloss_cli.model import Defect
from audioloss_cli.model.series import UNFINISHED
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
_MOST_BYTES_TO_CHECK = 1 << 30
_FAILURES = (sqlite3.Error, UnicodeError)  # a message of SQLite may quote what is no UTF-8
_MOST_GAPS, _MOST_DEFECTS = 1000, 100
_BEFORE_ALL, _LAST_ROWID = -(1 << 63), (1 << 63) - 1
_TEMPORARY_BYTES_KEPT_FREE = 64 << 20


class Table(NamedTuple):
    """A table of a database, and those of its columns that are to be read; all have to be there."""

    name: str
    columns: Sequence[str]


class _Refusal(Exception):  # noqa: N818  # it becomes a Defect
    """Why a database is not read."""

    def __init__(self, defect: Defect) -> None:
        self.defect = defect


class Database:
    """A database that is open for reading.

    Attributes:
        path: of the database, as the user knows it.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._told = list[str]()
        self._checked = set[str]()
        self._connection = connection

    def has(self, table: Table) -> bool:
        """Tell whether it has this table; a view, a virtual table or generated columns could run for ever.

        A database whose schema cannot be read has none; that is one of its ``defects``.
        """
        try:
            kinds = self._connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?", (table.name,)
            ).fetchall()
            columns = self._connection.execute(f"PRAGMA table_xinfo({_quoted(table.name)})").fetchall()
        except _FAILURES as error:
            self.tell(f"the schema cannot be read ({error}); {_recover(self.path)}")
            return False
        plain = {name for _, name, _, _, _, _, hidden in columns if not hidden}
        return any(page > 0 for (page,) in kinds) and plain.issuperset(table.columns)

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Yield the readable rows of a table in the order of their row ids, which stand before the columns.

        Where pages are damaged, reading goes on behind them; each stretch of rows that is lost is a defect.
        """
        last, gaps = _BEFORE_ALL, 0
        while True:
            try:
                for row in self._rows_behind(table, last):
                    if row[0] <= last:
                        raise sqlite3.DatabaseError("its rows are out of order")
                    last = row[0]
                    yield row
                break
            except _FAILURES as error:
                next_id = self._id_behind(table, last)
                # Python has read on to the damage before it gives the row before it.
                salvaged = None if next_id is None else self._row(table, next_id)
                if salvaged is not None and next_id is not None:
                    yield salvaged
                    last = next_id
                    continue
                gaps += 1
                following = None if gaps > _MOST_GAPS else self._id_behind_damage(table, last, next_id)
                self._lost(table, last, following, error)
                if following is None:
                    break
                last = following - 1
        if not gaps:
            self._check(table)

    def _lost(self, table: Table, last: int, following: int | None, error: Exception) -> None:
        where = "" if last == _BEFORE_ALL else f" after row id {last}"
        on = "none that follows was read" if following is None else f"reading went on at row id {following}"
        self.tell(f"rows of table {table.name}{where} cannot be read ({error}), {on}; {_recover(self.path)}")

    def _rows_behind(self, table: Table, last: int) -> Iterator[tuple[Any, ...]]:
        # One by one: what fails in the midst of many would take those before it along.
        yield from self._connection.execute(f"{_selection(table)} WHERE rowid > ? ORDER BY rowid", (last,))

    def _row(self, table: Table, row_id: int) -> tuple[Any, ...] | None:
        """Return one row; None if it cannot be read."""
        try:
            found = self._connection.execute(f"{_selection(table)} WHERE rowid = ?", (row_id,)).fetchone()
        except _FAILURES:
            return None
        return None if found is None else tuple(found)

    def _id_behind(self, table: Table, last: int) -> int | None:
        """Return the next row id; None if the page that has it cannot be read."""
        query = f"SELECT rowid FROM {_quoted(table.name)} WHERE rowid > ? ORDER BY rowid LIMIT 1"  # noqa: S608  # quoted
        try:
            found = self._connection.execute(query, (min(last, _LAST_ROWID),)).fetchone()
        except _FAILURES:
            return None
        return None if found is None or found[0] <= last else int(found[0])

    def _id_behind_damage(self, table: Table, last: int, lost: int | None) -> int | None:
        """Return the id of a row behind those that cannot be read, not far behind them; None if there is none.

        Args:
            table: whose rows they are.
            last: the last id before the damage.
            lost: the id of the row that cannot be read, if that much can be.
        """
        if lost is not None and (found := self._id_behind(table, lost)) is not None:
            return found
        start, below, reach = last if lost is None else lost, 0, 1
        while (found := self._id_behind(table, start + reach)) is None:
            below, reach = reach, 2 * reach
            if start + reach > _LAST_ROWID:
                return None
        while reach - below > 1:
            middle = (below + reach) // 2
            nearer = self._id_behind(table, start + middle)
            below, reach = (below, middle) if nearer is not None else (middle, reach)
            found = found if nearer is None else nearer
        return found

    def _check(self, table: Table) -> None:
        """Note what SQLite finds wrong though all rows could be read: pages that no row leads to any more.

        Only a look at all pages finds those; of a very large database it is a look at the table.
        """
        try:
            (pages,), (size,) = (
                self._connection.execute(f"PRAGMA page_{what}").fetchone() for what in ("count", "size")
            )
            all_of_it = pages * size <= _MOST_BYTES_TO_CHECK
            what = "1" if all_of_it else _quoted(table.name)
            if what in self._checked:
                return
            self._checked.add(what)
            found = self._connection.execute(f"PRAGMA quick_check({what})").fetchone()
        except _FAILURES as error:
            found = (str(error),)
        if found is not None and found[0] != "ok":
            lines = " ".join(str(found[0]).split())
            self.tell(
                f"table {table.name} is damaged, rows may be lost or wrong ({lines[:200]}); {_recover(self.path)}"
            )

    def tell(self, message: str) -> None:
        """Note that something is wrong with the database."""
        self._told.append(message)

    @property
    def defects(self) -> list[Defect]:
        """What was found to be wrong; all of it only once the database is closed."""
        told = self._told[:_MOST_DEFECTS]
        if len(self._told) > _MOST_DEFECTS:
            told.append(
                f"{len(self._told) - _MOST_DEFECTS} more stretches of rows cannot be read; {_recover(self.path)}"
            )
        return [Defect(str(self.path), "malformed", message) for message in told]


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


def _selection(table: Table) -> str:
    columns = ", ".join(map(_quoted, ("rowid", *table.columns)))
    return f"SELECT {columns} FROM {_quoted(table.name)}"  # noqa: S608  # quoted


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _recover(path: Path) -> str:
    return f"try: sqlite3 {path.name} .recover"
