"""From events to series: which values are scalars, and where a session starts anew."""

from collections.abc import Iterator

from audioloss_cli.readers.tensorboard.events import Event, SummaryValue
from audioloss_cli.records import Series, SeriesBuilder

_SCALAR_PLUGIN = "scalars"


class Scalars:
    """Collects the scalars of one file by tag.

    Attributes:
        points: number of points since the last ``flush``.
    """

    def __init__(self) -> None:
        self.points = 0
        self._series: dict[str, SeriesBuilder] = {}
        self._plugins: dict[str, str] = {}  # a tag's metadata stands in its first value only
        self._session = 0
        self._session_of: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take in one event; a session start is marked at the next point of every tag."""
        self._session += event.starts_session
        for value in event.values:
            number = self._number(value)
            if number is not None:
                self._append(value.tag, event, number)

    def flush(self) -> Iterator[Series]:
        """Hand over what was collected, in the order in which the tags first appeared."""
        for builder in self._series.values():
            yield builder.build()
        self._series.clear()
        self.points = 0

    def _number(self, value: SummaryValue) -> float | None:
        if value.plugin is not None:
            self._plugins.setdefault(value.tag, value.plugin)
        if value.simple is not None:
            return value.simple
        return value.tensor if self._plugins.get(value.tag, "") in ("", _SCALAR_PLUGIN) else None

    def _append(self, tag: str, event: Event, number: float) -> None:
        builder = self._series.get(tag)
        if builder is None:
            builder = self._series[tag] = SeriesBuilder(tag)
        if self._session_of.get(tag, 0) != self._session:
            builder.mark_restart()
            self._session_of[tag] = self._session
        builder.append(event.step, number, event.wall_time)
        self.points += 1
