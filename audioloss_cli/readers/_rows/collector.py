"""Rows of one log to its series: the step column is chosen by the first rows, the rest follows chunk by chunk."""

from collections.abc import Callable, Iterator

from audioloss_cli.model import Defect, Series, series
from audioloss_cli.readers._rows.row import Row
from audioloss_cli.readers._rows.steps import StepColumn, choose_step
from audioloss_cli.readers._rows.table import Table

_ROWS_TO_LEARN_FROM = 1000


class RowCollector:
    """Takes the rows of one log in order, and the defects between them.

    Args:
        path: of the log, for defects.
        wanted: whether the points of a tag are asked for; see ``ReadOptions.wanted``.
        column: where the step stands; None to choose it by the first 1000 rows.

    Attributes:
        table: where the rows go; None before the step column is chosen.
    """

    def __init__(
        self, path: str, wanted: Callable[[str], bool] | None = None, column: StepColumn | None = None
    ) -> None:
        self.table: Table | None = None if column is None else Table(column, path, wanted)
        self._path = path
        self._wanted = wanted
        self._waiting = list[Row | Defect]()  # until there are rows enough to tell the step by
        self._rows = 0  # among them

    def add(self, item: Row | Defect) -> Iterator[Series | Defect]:
        """Take in a row or a defect; yields what is ready."""
        if self.table is None:
            self._waiting.append(item)
            self._rows += isinstance(item, Row)
            if self._rows == _ROWS_TO_LEARN_FROM:
                yield from self._start()
        elif isinstance(item, Defect):
            yield item
        else:
            yield from self.table.add(item)
            yield from self.flush(self.table)

    def end(self) -> Iterator[Series | Defect]:
        """Yield the rest; call it after the last row."""
        if self.table is None:
            yield from self._start()
        if self.table is not None:
            self.table.end()
            yield from self.table.flush()

    def flush(self, table: Table) -> Iterator[Series]:
        """Yield the series so far once they are a chunk."""
        if table.points >= series.POINTS_OF_A_CHUNK:
            yield from table.flush()

    def _start(self) -> Iterator[Series | Defect]:
        """Choose the step by the rows that waited, and let them in."""
        waiting, self._waiting = self._waiting, []
        column = choose_step([item for item in waiting if isinstance(item, Row)])
        self.table = Table(column, self._path, self._wanted)
        for item in waiting:
            yield from self.add(item)
