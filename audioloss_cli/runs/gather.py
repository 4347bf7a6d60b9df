"""The chunks that readers yield, put together to whole series: in memory, or in a file once they are too long."""

from dataclasses import replace
from typing import TYPE_CHECKING

from audioloss_cli.model import Series
from audioloss_cli.storage.long_column import POINTS_IN_MEMORY, LongColumn

if TYPE_CHECKING:
    from audioloss_cli.storage.spill_file import SpillFile


class Gathered:
    """The series of a source, by run and tag.

    A second chunk is copied behind the first one into buffers of our own that grow, so that no point is held twice.

    Args:
        directory: where long series are kept, to be handed over to another process; see ``SpillFile``.
    """

    def __init__(self, directory: str | None = None) -> None:
        self._directory = directory
        self._series: dict[str, dict[str, Series]] = {}
        self._own: set[int] = set()
        self._points = 0  # in memory
        self._file: SpillFile | None = None

    def add(self, chunk: Series) -> None:
        """Take in the next chunk of a series; it is left as it is.

        Raises:
            SpillError: there is more than fits into memory, and nowhere to put it.
        """
        tags = self._series.setdefault(chunk.run, {})
        before = tags.setdefault(chunk.tag, chunk)
        if before is not chunk:
            self._extend(tags, before, chunk)
        elif self._file is not None:
            tags[chunk.tag] = self._spilled(chunk, self._file)
        if self._file is None and not isinstance(chunk.values, LongColumn):
            self._points += len(chunk)
            if self._points > POINTS_IN_MEMORY:
                self._spill()

    def _extend(self, tags: dict[str, Series], before: Series, chunk: Series) -> None:
        if id(before) not in self._own:
            if self._file is None and not isinstance(before.values, LongColumn):
                joined = tags[chunk.tag] = Series.join([before, chunk])
                self._own.add(id(joined))
                return
            before = tags[chunk.tag] = self._spilled(before, self._spill_file())
        before.extend(chunk)

    def _spill(self) -> None:
        """Put all points into a file, and those to come behind them."""
        file = self._spill_file()
        for tags in self._series.values():
            for tag, series in tags.items():
                if not isinstance(series.values, LongColumn):
                    self._own.discard(id(series))  # once it is gone, another one may have that id
                    tags[tag] = self._spilled(series, file)

    def _spill_file(self) -> "SpillFile":
        if self._file is None:
            from audioloss_cli.storage.spill_file import SpillFile  # noqa: PLC0415  # 5 ms that no other scan needs

            self._file = SpillFile(self._directory)
        return self._file

    def _spilled(self, series: Series, file: "SpillFile") -> Series:
        columns = [LongColumn(file, "q"), LongColumn(file, "d"), LongColumn(file, "d")]
        for column, numbers in zip(columns, (series.steps, series.values, series.wall_times), strict=True):
            column.append(numbers)
        steps, values, times = columns
        found = replace(series, steps=steps, values=values, wall_times=times, restarts=list(series.restarts))
        self._own.add(id(found))
        return found

    @property
    def runs(self) -> list[str]:
        """Names of the runs, in order."""
        return sorted(self._series)

    def pop(self, run: str) -> list[Series]:
        """Hand over the series of a run; bare names come last, wherever a reader ended its chunks."""
        return sorted(self._series.pop(run).values(), key=lambda series: not len(series))
