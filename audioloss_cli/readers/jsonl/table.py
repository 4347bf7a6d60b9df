"""From rows to series: one a key, with the steps of the log and the nulls that matter."""

from collections.abc import Iterator

from audioloss_cli.readers.jsonl.rows import Row
from audioloss_cli.readers.jsonl.steps import StepColumn
from audioloss_cli.records import MISSING, Defect, Series, SeriesBuilder

_SHAPES_TO_REMEMBER = 256


class Table:
    """Collects the columns of one file.

    Attributes:
        points: number of points since the last ``flush``.
    """

    def __init__(self, column: StepColumn, path: str) -> None:
        self.points = 0
        self._column = column
        self._path = path
        self._series: dict[str, SeriesBuilder] = {}
        self._step = 0
        self._shapes: set[frozenset[str]] = set()  # sets of keys that had numbers in one row

    def add(self, row: Row) -> Iterator[Defect]:
        """Take in one row; a Defect if its step fits no integer."""
        try:
            self._step = self._column.step(row.values, row.line, self._step)
        except OverflowError as error:
            yield Defect(self._path, "malformed", f"{error}; the row was skipped", line=row.line)
            return
        for key in self._missing(row) if row.nulls else ():
            self._append(key, MISSING, row.wall_time)
        for key, value in row.values.items():
            if key != self._column.key:
                self._append(key, value, row.wall_time)
        if len(self._shapes) < _SHAPES_TO_REMEMBER:
            self._shapes.add(frozenset(row.values))

    def flush(self) -> Iterator[Series]:
        """Hand over what was collected, in the order in which the keys first appeared."""
        for builder in self._series.values():
            yield builder.build()
        self._series.clear()
        self.points = 0

    def _missing(self, row: Row) -> list[str]:
        """The null keys of a row of their own kind.

        Logs with fixed columns (LLaMA-Factory's) write null for everything that does not belong to the kind of row at
        hand: the training loss is null in each evaluation row. So a null counts only if every key that has a number
        here also had one in rows in which the null key had one.
        """
        here = frozenset(row.values)
        missing = []
        for key in row.nulls:
            beside = [shape for shape in self._shapes if key in shape]
            if beside and here <= frozenset().union(*beside):
                missing.append(key)
        return missing

    def _append(self, key: str, value: float, wall_time: float) -> None:
        builder = self._series.get(key)
        if builder is None:
            builder = self._series[key] = SeriesBuilder(key, self._column.source)
        builder.append(self._step, value, wall_time)
        self.points += 1
