"""Rows of one log to its series: the step column is chosen by the first rows, the rest follows chunk by chunk."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import cast

from audioloss_cli.model import Defect, Series, series
from audioloss_cli.readers._rows.learnt import Learnt
from audioloss_cli.readers._rows.long_form import unfolded, value_key
from audioloss_cli.readers._rows.numbers import LONGEST_NAME
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn, choose_step
from audioloss_cli.readers._rows.table import Table

_ROWS_TO_LEARN_FROM, _NAMES_TO_LEARN_FROM = 1000, 1 << 18
_MOST_RUNS = 4096
_ROWS_OF_A_RUN = 2  # at least, on average: else what looks like its name is one of the row


class RowCollector:
    """Takes the rows of one log in order, and the defects between them.

    Args:
        path: of the log, for defects.
        wanted: whether the points of a tag are asked for; see ``ReadOptions.wanted``.
        column: where the step stands; None to choose it by the first 1000 rows.

    Attributes:
        column: where the step stands; None before it is chosen.
        learnt: what the rows have taught.
        tables: run -> where its rows go.
        has_runs: whether rows are of the runs that they name.
        value_key: the key of the numbers in a log of the long form; else None.
    """

    def __init__(
        self, path: str, wanted: Callable[[str], bool] | None = None, column: StepColumn | None = None
    ) -> None:
        self.column = column
        self.learnt = Learnt()
        self.tables: dict[str, Table] = {}
        self.value_key: str | None = None
        self._path = path
        self._wanted = wanted
        self._waiting = list[Row | Defect]()  # until there are rows enough to tell the step by
        self._rows = self._names = 0  # rows among them, and their keys
        self._unnamed: str | None = None  # the run that is called by the name of the file alone
        self.has_runs = True
        self._skipped: list[Row] = []  # the first row with a key that is too long, and the last
        self._step = 0

    def resume(self, column: StepColumn, learnt: Learnt, step: int) -> None:
        """Go on where ``column``, ``learnt`` and the step of the last row are known."""
        self.column, self.learnt, self._step = column, learnt, step
        self.has_runs = False

    def add(self, item: Row | Defect) -> Iterator[Series | Defect]:
        """Take in a row or a defect; yields what is ready."""
        if self.column is None:
            self._waiting.append(item)
            if isinstance(item, Row):
                self._rows += 1
                self._names += len(item.numbers) + len(item.blanks)
                if self._rows == _ROWS_TO_LEARN_FROM or self._names > _NAMES_TO_LEARN_FROM:
                    yield from self._start()
        elif isinstance(item, Defect):
            yield item
        else:
            row = item if self.value_key is None else unfolded(item, self.value_key)
            if row.skipped:
                self._skipped = [*self._skipped[:1], row]
            table = self.table_of(row.run)
            yield from table.add(row)
            yield from self.flush(table)

    def waits_with(self, row: Row) -> bool:
        """Keep a row until there are rows enough to tell the step by; False if it has to be added."""
        if self.column is not None or self._rows + 1 == _ROWS_TO_LEARN_FROM or self._names > _NAMES_TO_LEARN_FROM:
            return False
        self._waiting.append(row)
        self._rows += 1
        self._names += len(row.numbers) + len(row.blanks)
        return True

    def table_of(self, run: str) -> Table:
        """Return where the rows go that say this of their run."""
        if not self.has_runs or run == self._unnamed or (run not in self.tables and len(self.tables) >= _MOST_RUNS):
            run = ""
        if run not in self.tables:
            assert self.column is not None  # noqa: S101  # chosen before the first row comes here
            self.tables[run] = Table(self.column, self._path, self._wanted, self.learnt, self._step, run)
        return self.tables[run]

    @property
    def table(self) -> Table | None:
        """Where the rows go that name no run; None before the step column is chosen."""
        return None if self.column is None else self.table_of("")

    @property
    def table_of_all_rows(self) -> Table | None:
        """The only table, from which alone a later reading can go on; None if there are others or none."""
        return self.tables.get("") if len(self.tables) == 1 and self.value_key is None else None

    def end(self) -> Iterator[Series | Defect]:
        """Yield the rest; call it after the last row."""
        if self.column is None and self._waiting:
            yield from self._start()
        for table in self.tables.values():
            table.end()
            yield from table.flush()
        if self._skipped:
            first, last = self._skipped[0], self._skipped[-1]
            rows = f"; as in other rows, the last in line {last.line}" if last is not first else ""
            yield Defect(
                self._path,
                "malformed",
                f"the key {first.skipped[:40]!r}... is longer than {LONGEST_NAME} characters, or all of the row's are "
                f"longer than 16 million; what it holds was skipped{rows}",
                line=first.line,
            )

    def flush(self, table: Table) -> Iterator[Series]:
        """Yield the series of a table once they are a chunk; of several runs all together are as large as one."""
        if table.points * len(self.tables) >= series.POINTS_OF_A_CHUNK:
            yield from table.flush()

    def _start(self) -> Iterator[Series | Defect]:
        """Choose the step by the rows that waited, and let them in."""
        waiting, self._waiting = self._waiting, []
        rows = [item for item in waiting if isinstance(item, Row)]
        self._name_runs(rows)
        self.value_key = value_key(rows)
        self.column = choose_step(rows if self.has_runs else [row._replace(run="") for row in rows])
        for (run, keys), items in groupby(waiting, _likeness):
            alike = list(items)
            if not (keys and self.value_key is None and self._add_alike(run, keys, cast("Sequence[Row]", alike))):
                for item in alike:
                    yield from self.add(item)

    def _add_alike(self, run: str, keys: Sequence[str], rows: Sequence[Row]) -> bool:
        """Let in rows with the same keys at once; False if they are to be added one by one."""
        table = self.table_of(run)
        points = table.points + len(keys) * len(rows)
        return points * len(self.tables) < series.POINTS_OF_A_CHUNK and table.add_alike(keys, rows)

    def _name_runs(self, first: Sequence[Row]) -> None:
        """The first run goes by the name of the file, unless the first rows hold another."""
        names = dict.fromkeys(row.run for row in first if row.run)
        self.has_runs = _ROWS_OF_A_RUN * len(names) <= max(len(first), 2)
        if len(names) == 1:
            self._unnamed = next(iter(names))


def _likeness(item: Row | Defect) -> tuple[str, tuple[str, ...]]:
    """The run and the keys of a row that holds numbers alone; no keys of anything else."""
    if isinstance(item, Defect) or item.blanks or item.skipped:
        return "", ()
    return item.run, tuple([key for key, _ in item.numbers])
