"""The chunks that readers yield, put together to whole series."""

from audioloss_cli.records import Series


class Gathered:
    """The series of a source, by run and tag.

    A second chunk is copied behind the first one into buffers of our own that grow, so that no point is held twice.
    """

    def __init__(self) -> None:
        self._series: dict[str, dict[str, Series]] = {}
        self._own: set[int] = set()

    def add(self, chunk: Series) -> None:
        """Take in the next chunk of a series; it is left as it is."""
        tags = self._series.setdefault(chunk.run, {})
        before = tags.setdefault(chunk.tag, chunk)
        if before is chunk:
            return
        if id(before) in self._own:
            before.extend(chunk)
            return
        tags[chunk.tag] = Series.join([before, chunk])
        self._own.add(id(tags[chunk.tag]))

    @property
    def runs(self) -> list[str]:
        """Names of the runs, in order."""
        return sorted(self._series)

    def pop(self, run: str) -> list[Series]:
        """Hand over the series of a run; bare names come last, wherever a reader ended its chunks."""
        return sorted(self._series.pop(run).values(), key=lambda series: not len(series))
