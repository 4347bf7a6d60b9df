"""From rows to series: one a key, with the steps of the log and the blanks that matter."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from audioloss_cli.model import MISSING, Defect, Series, SeriesCollector
from audioloss_cli.readers._rows.learnt import Learnt
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn

_MISSING = array("d", [MISSING]).tobytes()


class Run(NamedTuple):
    """Rows of one kind that follow each other, column by column; only the wanted columns.

    Attributes:
        wall_times: buffer of float64 Unix seconds, NaN where a row has none.
        columns: keys with buffers of their float64 numbers.
        steps: buffer of int64; None if the rows have none of their own.
        missing: keys whose number each of the rows says is missing.
    """

    wall_times: Any
    columns: Sequence[tuple[str, Any]]
    steps: Any
    missing: Sequence[str] = ()

    @property
    def keys(self) -> tuple[list[str], list[str]]:
        """Those with numbers, those without."""
        return [key for key, _ in self.columns], list(self.missing)


class Table(SeriesCollector):
    """Collects the columns of one file.

    Attributes:
        column: where the steps come from.
        step: of the last row.
        learnt: what the rows so far have taught.
    """

    def __init__(
        self,
        column: StepColumn,
        path: str,
        wanted: Callable[[str], bool] | None = None,
        learnt: Learnt | None = None,
        step: int = 0,
    ) -> None:
        super().__init__(column.source, wants=wanted)
        self.column = column
        self.step = step
        self.learnt = learnt or Learnt()
        self._path = path
        self._runs = list[Run]()  # with the same keys

    def add(self, row: Row) -> Iterator[Defect]:
        """Take in one row; a Defect if its step is none."""
        self._settle()
        try:
            self.step = self.column.step(row, self.step)
        except ValueError as error:
            yield Defect(
                self._path, "malformed", f"{error}; the row was read as one of step {self.step}", None, row.line
            )
        for key in self.learnt.missing(row):
            self.append(key, self.step, MISSING, row.wall_time)
        for key, value in row.numbers:
            if key != self.column.key:
                self.append(key, self.step, value, row.wall_time)
        self.learnt.learn(row, self.step)

    def add_run(self, run: Run) -> None:
        """Take in rows with the same keys, of which one was added before."""
        steps = array("q", [self.step]) * len(run.wall_times) if run.steps is None else run.steps
        self.step = int(steps[-1])
        if self._runs and self._runs[-1].keys != run.keys:
            self._settle()
        if run.columns or run.missing:
            self._runs.append(run._replace(steps=steps))
            self.points += len(steps) * (len(run.columns) + len(run.missing))

    def _settle(self) -> None:
        """Let in the runs that wait: joined first, since to lengthen a long array by a little costs more than that."""
        if not self._runs:
            return
        runs, self._runs = self._runs, []
        steps, times = b"".join(run.steps for run in runs), b"".join(run.wall_times for run in runs)
        for key in runs[0].missing:
            self._put(key, steps, _MISSING * (len(steps) // len(_MISSING)), times)
        for index, (key, _) in enumerate(runs[0].columns):
            self._put(key, steps, b"".join(run.columns[index][1] for run in runs), times)

    def _put(self, key: str, steps: bytes, values: bytes, times: bytes) -> None:
        """Lengthen the columns of a key, whose points are counted already."""
        columns = self.columns(key)
        if columns is None:
            self.points -= len(steps) // len(_MISSING)
            return
        columns[0].frombytes(steps)
        columns[1].frombytes(values)
        columns[2].frombytes(times)

    def flush(self) -> Iterator[Series]:
        """As that of every collector."""
        self._settle()
        return super().flush()

    def end(self) -> None:
        """Call after the last row: a key that was never anything but null is told as one missing value."""
        self._settle()
        for key, (step, wall_time) in self.learnt.never.items():
            self.append(key, step, MISSING, wall_time)
