"""From rows to series: one a key, with the steps of the log and the blanks that matter."""

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from audioloss_cli.model import MISSING, Defect, Series, SeriesCollector
from audioloss_cli.model.series import Columns
from audioloss_cli.readers._rows.learnt import Learnt
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn

_LONG = 64  # numbers: of shorter parts, the parts themselves would take more memory than their numbers
_Part = tuple["array[int]", "array[float]", "array[float]"]  # steps, values and wall times


class Run(NamedTuple):
    """Rows of one kind that follow each other, column by column; only the wanted columns.

    Attributes:
        wall_times: array of float64 Unix seconds, NaN where a row has none.
        columns: keys with arrays of their float64 numbers.
        steps: array of int64; None if the rows have none of their own.
        missing: keys whose number each of the rows says is missing.
    """

    wall_times: "array[float]"
    columns: Sequence[tuple[str, "array[float]"]]
    steps: "array[int] | None"
    missing: Sequence[str] = ()


class Table(SeriesCollector):
    """Collects the columns of one run in one file.

    Attributes:
        column: where the steps come from.
        step: of the last row.
        learnt: what the rows of the file so far have taught.
        never: keys that may have only ever been null -> step and wall time of their first row.
    """

    def __init__(
        self,
        column: StepColumn,
        path: str,
        wanted: Callable[[str], bool] | None = None,
        learnt: Learnt | None = None,
        step: int = 0,
        run: str = "",
    ) -> None:
        super().__init__(column.source, run, wants=wanted)
        self.column = column
        self.step = step
        self.learnt = learnt or Learnt()
        self.never: dict[str, tuple[int, float]] = {}
        self._path = path
        self._parts = dict[str, list[_Part]]()  # of long columns, to be joined once

    def add(self, row: Row) -> Iterator[Defect]:
        """Take in one row; a Defect if its step is none."""
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
        self.learnt.learn(row)
        self.note_nulls(row.nulls, self.step, row.wall_time)

    def add_alike(self, keys: Sequence[str], rows: Sequence[Row]) -> bool:
        """Take in rows of numbers under these keys, all together, as ``add`` takes each.

        Returns:
            Whether that was done; it is not where a key comes twice, or a step is none.
        """
        columns = {
            key: array("d", [number for _, number in column])
            for key, column in zip(keys, zip(*(row.numbers for row in rows), strict=True), strict=True)
        }
        steps = self._steps_of(columns, rows)
        if steps is None or len(columns) < len(keys):
            return False
        times = array("d", [row.wall_time for row in rows])
        self.step = steps[-1]
        for key, numbers in columns.items():
            if key != self.column.key:
                self.put(key, steps, numbers, times)
        self.learnt.learn(rows[0])
        return True

    def _steps_of(self, columns: "Mapping[str, array[float]]", rows: Sequence[Row]) -> "array[int] | None":
        if self.column.key is None:
            return array("q", [row.line for row in rows])
        numbers = columns.get(self.column.key)
        if numbers is None:
            return array("q", [self.step]) * len(rows)
        try:
            steps = array("q", map(math.floor, numbers))
        except (ValueError, OverflowError):  # NaN, infinite or too large
            return None
        return steps if self.column.source != "step" or steps.tolist() == numbers.tolist() else None

    def note_nulls(self, keys: Sequence[str], step: int, wall_time: float) -> None:
        """Remember where keys were null that had no number before."""
        for key in keys:
            if key not in self.never and not self.learnt.has_numbers(key):
                self.never[key] = (step, wall_time)

    def add_run(self, run: Run) -> None:
        """Take in rows with the same keys, of which one was added before."""
        steps = array("q", [self.step]) * len(run.wall_times) if run.steps is None else run.steps
        self.step = int(steps[-1])
        for key in run.missing:
            self.put(key, steps, array("d", [MISSING]) * len(steps), run.wall_times)
        for key, values in run.columns:
            self.put(key, steps, values, run.wall_times)

    def put(self, key: str, steps: "array[int]", values: "array[float]", wall_times: "array[float]") -> None:
        """Add many points of a key; nobody may change the three afterwards.

        Long parts are kept as they are, and joined at the end: an array that grows part by part is copied many times.
        """
        columns = super().columns(key) if len(values) >= _LONG else self.columns(key)
        if columns is None:
            return
        self.points += len(values)
        if len(values) >= _LONG:
            self._parts.setdefault(key, []).append((steps, values, wall_times))
        else:
            columns[0].extend(steps)
            columns[1].extend(values)
            columns[2].extend(wall_times)

    def columns(self, tag: str, *, restarted: bool = False) -> Columns | None:
        """See ``SeriesCollector``; all that was put under the tag is in them."""
        if tag in self._parts and (columns := super().columns(tag)) is not None:
            steps, values, wall_times = zip(*self._parts.pop(tag), strict=True)
            columns[0].frombytes(b"".join(steps))
            columns[1].frombytes(b"".join(values))
            columns[2].frombytes(b"".join(wall_times))
        return super().columns(tag, restarted=restarted)

    def flush(self) -> Iterator[Series]:
        """See ``SeriesCollector``."""
        for tag in list(self._parts):
            self.columns(tag)
        yield from super().flush()

    def end(self) -> None:
        """Call after the last row: a key that was never anything but null is told as one missing value."""
        for key, (step, wall_time) in self.never.items():
            if not self.learnt.has_numbers(key):
                self.append(key, step, MISSING, wall_time)
