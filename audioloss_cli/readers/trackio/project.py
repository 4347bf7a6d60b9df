"""The database of one project of Trackio: a row of its table of metrics is what one call of ``trackio.log`` logged."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from audioloss_cli.model import Defect, ReadOptions, Series, series
from audioloss_cli.readers._logged import LONGEST_NAME, metrics, value_of
from audioloss_cli.readers._rows import RowCollector, row_of
from audioloss_cli.readers._rows.numbers import seconds
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._sqlite import Database, Table, holds, read_database
from audioloss_cli.storage.log_file import LogFile

_TABLE = Table("metrics", ("run_name", "run_name", "timestamp", "step", "metrics"))
_TABLE_WITH_IDS = Table("metrics", ("run_id", *_TABLE.columns[1:]))  # since two runs may have the same name
_STEP = StepColumn("step", "step")


def is_project(file: LogFile) -> bool:
    """Tell whether a file is a database of Trackio.

    Raises:
        OSError: the file cannot be opened or read.
    """
    return holds(file, _TABLE)


def read_project(path: Path, options: ReadOptions) -> Iterator[Series | Defect]:
    """Yield every series, and every defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    return read_database(path, lambda database: _Project(database, options).items())


class _Project:
    """The runs of one database under construction."""

    def __init__(self, database: "Database", options: ReadOptions) -> None:
        self._database = database
        self._wanted = options.wanted
        self._runs: dict[str, RowCollector] = {}  # by what tells them apart
        self._labels: dict[str, str] = {}
        self._points = 0  # since all of them were flushed
        self._bad: dict[str, tuple[int, int]] = {}  # what is wrong with rows -> how many, and the id of the first

    def items(self) -> Iterator[Series | Defect]:
        """Yield every series, and every defect of rows."""
        table = _TABLE_WITH_IDS if self._database.has(_TABLE_WITH_IDS) else _TABLE
        if not self._database.has(table):
            self._database.tell("the database has no metrics of Trackio")
            return
        for row in self._database.rows(table):
            yield from self._add(*row)
        for run, rows in self._runs.items():
            yield from self._labelled(run, rows.end())
        for what, (count, first) in self._bad.items():
            message = f"{count} rows of table metrics {what}, the first with row id {first}"
            yield Defect(str(self._database.path), "malformed", message)

    def _add(self, row_id: int, run: Any, name: Any, time: Any, step: Any, logged: Any) -> Iterator[Series | Defect]:

        parsed = value_of(logged) if isinstance(logged, (str, bytes)) else None
        if not isinstance(parsed, dict) or type(step) is not int:
            self._tell("have no whole step" if isinstance(parsed, dict) else "hold no JSON object", row_id)
            return
        kept = {key: value for key, value in metrics(parsed).items() if len(key) <= LONGEST_NAME and key != _STEP.key}
        if any(len(key) > LONGEST_NAME for key in parsed):
            self._tell("have a name of more than 4096 bytes, which was skipped", row_id)
        row = row_of(row_id, {"step": step, **kept})
        found = seconds(time)
        rows = self._rows_of(str(run), str(name))
        yield from self._labelled(str(run), rows.add(row._replace(wall_time=math.nan if found is None else found)))
        self._points += len(row.numbers)
        if self._points >= series.POINTS_OF_A_CHUNK:
            yield from self._flush()

    def _rows_of(self, run: str, name: str) -> "RowCollector":
        """Return where the rows of a run go; another run of the same name has its id behind the name."""
        if run not in self._runs:
            taken = name in self._labels.values()
            self._labels[run] = f"{name} ({run[:8]})" if taken else name
            self._runs[run] = RowCollector(str(self._database.path), self._wanted, _STEP)
        return self._runs[run]

    def _flush(self) -> Iterator[Series | Defect]:
        """Hand over what all runs have so far: however many they are, a chunk in all is in memory."""
        self._points = 0
        for run, rows in self._runs.items():
            if rows.table is not None:
                yield from self._labelled(run, rows.table.flush())

    def _labelled(self, run: str, items: Iterable[Series | Defect]) -> Iterator[Series | Defect]:
        for item in items:
            if isinstance(item, Series):
                item.run = self._labels[run]
            yield item

    def _tell(self, what: str, row_id: int) -> None:
        count, first = self._bad.get(what, (0, row_id))
        self._bad[what] = count + 1, first
