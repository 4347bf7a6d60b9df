"""The rows of a SQLite database that is open, as many as can be read of a damaged one."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from audioloss_cli.model import Defect

_MOST_BYTES_TO_CHECK = 1 << 30
_FAILURES = (sqlite3.Error, UnicodeError)  # a message of SQLite may quote what is no UTF-8
_MOST_GAPS, _MOST_DEFECTS = 1000, 100
_BEFORE_ALL, _LAST_ROWID = -(1 << 63), (1 << 63) - 1


class Table(NamedTuple):
    """A table of a database, and those of its columns that are to be read; all have to be there."""

    name: str
    columns: Sequence[str]


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


def _selection(table: Table) -> str:
    columns = ", ".join(map(_quoted, ("rowid", *table.columns)))
    return f"SELECT {columns} FROM {_quoted(table.name)}"  # noqa: S608  # quoted


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _recover(path: Path) -> str:
    return f"try: sqlite3 {path.name} .recover"
