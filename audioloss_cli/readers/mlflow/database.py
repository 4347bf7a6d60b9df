"""MLflow's SQLite store: the metrics of all runs in one table."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from audioloss_cli.model import Defect, ReadOptions, Series, SeriesCollector, series
from audioloss_cli.readers._logged import LONGEST_NAME
from audioloss_cli.readers._rows.numbers import seconds
from audioloss_cli.readers._sqlite import Database, Table, holds, read_database
from audioloss_cli.storage.log_file import LogFile

_METRICS = Table("metrics", ("run_uuid", "key", "step", "value", "timestamp", "is_nan"))
_RUNS = Table("runs", ("run_uuid", "name", "experiment_id", "lifecycle_stage"))
_EXPERIMENTS = Table("experiments", ("experiment_id", "name"))
_LARGEST = 1.7976931348623157e308  # MLflow writes it for infinity
_LONGEST_RUN_NAME = 250


class _Run(NamedTuple):
    """A run: its label, and whether it was deleted."""

    label: str
    is_deleted: bool


def is_store(file: LogFile) -> bool:
    """Tell whether a file is a database of MLflow.

    Raises:
        OSError: the file cannot be opened or read.
    """
    return holds(file, _METRICS)


def read_store(path: Path, options: ReadOptions) -> Iterator[Series | Defect]:
    """Yield the metrics of each run, in the order in which they were logged, and every defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    return read_database(path, lambda database: _Store(database, options).items())


class _Store:
    """The runs of one database under construction."""

    def __init__(self, database: Database, options: ReadOptions) -> None:
        self._database = database
        self._wanted = options.wanted
        self._known = dict[Any, _Run]()
        self._runs: dict[Any, SeriesCollector | None] = {}  # None for a deleted one
        self._bad: dict[str, tuple[int, int]] = {}  # what is wrong with rows -> how many, and the id of the first

    def items(self) -> Iterator[Series | Defect]:
        """Yield every series, and every defect of rows."""
        if not self._database.has(_METRICS):
            self._database.tell("the database has no metrics of MLflow")
            return
        self._known = _runs_of(self._database)
        left = series.POINTS_OF_A_CHUNK
        for row_id, run, key, step, value, time, is_nan in self._database.rows(_METRICS):
            points = self._runs[run] if run in self._runs else self._begin(run)
            if points is None:
                continue
            if type(key) is not str or type(step) is not int or not isinstance(value, (int, float)):
                self._tell("hold no metric", row_id)
            elif len(key) > LONGEST_NAME:
                self._tell("have a name of more than 4096 bytes", row_id)
            else:
                number = math.nan if is_nan else value if -_LARGEST < value < _LARGEST else value * math.inf
                date = seconds(time)
                points.append(key, step, number, math.nan if date is None else date)
            left -= 1
            if not left:
                left = series.POINTS_OF_A_CHUNK
                yield from self._flush()
        yield from self._flush()
        for what, (count, first) in self._bad.items():
            message = f"{count} rows of table metrics {what} and were skipped, the first with row id {first}"
            yield Defect(str(self._database.path), "malformed", message)

    def _begin(self, run: Any) -> SeriesCollector | None:
        known = self._known.get(run, _Run(str(run)[:_LONGEST_RUN_NAME], is_deleted=False))
        points = None if known.is_deleted else SeriesCollector(run=known.label, wants=self._wanted)
        self._runs[run] = points
        return points

    def _flush(self) -> Iterator[Series]:
        for points in self._runs.values():
            if points is not None:
                yield from points.flush()

    def _tell(self, what: str, row_id: int) -> None:
        count, first = self._bad.get(what, (0, row_id))
        self._bad[what] = count + 1, first


def _runs_of(database: Database) -> dict[Any, _Run]:
    """Return the runs by their ids, named ``experiment/run``; another one of that name has its id behind the name."""
    experiments, runs, taken = dict[Any, str](), dict[Any, _Run](), set[str]()
    if database.has(_EXPERIMENTS):
        experiments = {number: str(name)[:_LONGEST_RUN_NAME] for _, number, name in database.rows(_EXPERIMENTS)}
    if database.has(_RUNS):
        for _, run, name, experiment, stage in database.rows(_RUNS):
            label = f"{experiments.get(experiment, experiment)}/{str(name or run)[:_LONGEST_RUN_NAME]}"
            label = f"{label} ({run})" if label in taken else label
            taken.add(label)
            runs[run] = _Run(label, stage == "deleted")
    return runs
