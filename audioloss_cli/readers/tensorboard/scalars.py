"""From events to series: which values are scalars, and where a session starts anew."""

from collections.abc import Callable

from audioloss_cli.readers.tensorboard.events import SCALAR_PLUGIN, Event, SummaryValue
from audioloss_cli.records import SeriesCollector


class Scalars(SeriesCollector):
    """Collects the scalars of one file by tag."""

    def __init__(self, wanted: Callable[[str], bool] | None = None) -> None:
        super().__init__(wants=wanted)
        self._plugins: dict[str, str] = {}  # a tag's metadata stands in its first value only
        self._session = 0
        self._session_of: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take in one event; a session start is marked at the next point of every tag."""
        self._session += event.starts_session
        for value in event.values:
            number = self._number(value)
            if number is not None:
                restarted = self._session_of.get(value.tag, 0) != self._session
                self._session_of[value.tag] = self._session
                self.append(value.tag, event.step, number, event.wall_time, restarted=restarted)

    def _number(self, value: SummaryValue) -> float | None:
        if value.plugin is not None:
            self._plugins.setdefault(value.tag, value.plugin)
        if value.simple is not None:
            return value.simple
        plugin = self._plugins.get(value.tag, "")
        if value.tensor is None or plugin not in ("", SCALAR_PLUGIN):
            return None
        return value.tensor.number if plugin or value.tensor.is_scalar else None
