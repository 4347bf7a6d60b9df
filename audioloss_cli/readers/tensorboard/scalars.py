"""From events to series: which values are scalars, and where a session starts anew."""

from collections.abc import Callable, Iterator
from typing import Any

from audioloss_cli.model import Series, SeriesCollector
from audioloss_cli.model.reader import MarkError
from audioloss_cli.model.shape import COUNT, INT64, Names, has_shape
from audioloss_cli.readers.tensorboard.events import SCALAR_PLUGIN, Event, SummaryValue
from audioloss_cli.readers.tensorboard.template import Place

_STATE = {"plugins": Names(str), "session": COUNT, "session_of": Names(COUNT), "last_steps": Names(INT64)}


class Scalars(SeriesCollector):
    """Collects the scalars of one file by tag."""

    def __init__(self, wanted: Callable[[str], bool] | None = None) -> None:
        super().__init__(wants=wanted)
        self._plugins: dict[str, str] = {}  # a tag's metadata stands in its first value only
        self._session = 0
        self._session_of: dict[str, int] = {}
        self._last_steps: dict[str, int] = {}  # of the points that were handed over

    def add(self, event: Event) -> None:
        """Take in one event; a session start is marked at the next point of every tag.

        Where its step cannot be read, its values stand at the step of the point before, 0 if there is none.
        """
        self._session += event.starts_session
        for value in event.values:
            number = _number(value, self._plugin(value.tag, value.plugin))
            if number is not None:
                step = self._last_step(value.tag) if event.step is None else event.step
                self.append(value.tag, step, number, event.wall_time, restarted=self._restarts(value.tag))

    def put(self, place: Place, step: int, number: float, wall_time: float) -> None:
        """Take in one value of a record that has a template."""
        if self.counts(place):
            self.append(place.tag, step, number, wall_time, restarted=self._restarts(place.tag))

    def sink(self, place: Place) -> tuple[Callable[[Any], None], ...]:
        """Where steps, values and wall times of a place go until the next flush; nothing if they are not kept."""
        columns = self.columns(place.tag, restarted=self._restarts(place.tag)) if self.counts(place) else None
        return () if columns is None else tuple(column.append for column in columns[:3])

    def put_many(self, tag: str, steps: Any, numbers: Any, wall_times: Any) -> None:
        """Take in points that count: numpy columns, int64 steps, float64 values and wall times."""
        self.extend(tag, steps, numbers, wall_times, restarted=self._restarts(tag))

    def knows(self, tag: str) -> bool:
        """Whether the plugin of a tag is known: what later values of it say about that counts no more."""
        return tag in self._plugins

    def learn(self, place: Place) -> None:
        """Take note of the plugin that a value names."""
        self._plugin(place.tag, place.plugin)

    def wants(self, tag: str) -> bool:
        """Whether points of the tag are kept."""
        return self._wants is None or self._wants(tag)

    def leaves_cold(self, event: Event, is_new: Callable[[str], bool]) -> bool:
        """Whether the event has no point and starts no session; what it says of plugins is learnt.

        Args:
            event: the next one, but for points that come before it and are still to be put here.
            is_new: whether a tag has none of those, so that its plugin may be learnt already.
        """
        if event.starts_session or event.faults:
            return False
        learnt = dict[str, str]()  # at the end: nothing is, if one of the values is a point
        for value in event.values:
            if value.plugin is not None and not self.knows(value.tag):
                if not is_new(value.tag):
                    return False
                learnt.setdefault(value.tag, value.plugin)
            if _number(value, self._plugins.get(value.tag, learnt.get(value.tag, ""))) is not None:
                return False
        self._plugins |= learnt
        return True

    def state(self) -> dict[str, Any]:
        """All that later points depend on, in types that JSON knows."""
        return {
            "plugins": self._plugins,
            "session": self._session,
            "session_of": self._session_of,
            "last_steps": self._last_steps,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken.

        Raises:
            MarkError: ``state`` did not make it.
        """
        if not has_shape(state, _STATE):
            raise MarkError("no state of an event file")
        self._plugins, self._session = dict(state["plugins"]), state["session"]
        self._session_of = dict(state["session_of"])
        self._last_steps = dict(state["last_steps"])

    def flush(self) -> Iterator[Series]:
        """Hand over what was collected; see ``SeriesCollector``."""
        for chunk in super().flush():
            if len(chunk):
                self._last_steps[chunk.tag] = chunk.steps[-1]
            yield chunk

    def _last_step(self, tag: str) -> int:
        columns = self.columns(tag)
        return columns[0][-1] if columns and columns[0] else self._last_steps.get(tag, 0)

    def _restarts(self, tag: str) -> bool:
        """Whether a session has started since the last point of the tag."""
        restarted = self._session_of.get(tag, 0) != self._session
        if restarted:
            self._session_of[tag] = self._session
        return restarted

    def counts(self, place: Place) -> bool:
        """Whether the values at a place are scalars: as ``_number`` decides."""
        plugin = self._plugin(place.tag, place.plugin)
        return not place.tensor or plugin == SCALAR_PLUGIN or (not plugin and place.is_scalar)

    def _plugin(self, tag: str, named: str | None) -> str:
        if named is not None:
            self._plugins.setdefault(tag, named)
        return self._plugins.get(tag, "")


def _number(value: SummaryValue, plugin: str) -> float | None:
    if value.simple is not None:
        return value.simple
    if value.tensor is None or plugin not in ("", SCALAR_PLUGIN):
        return None
    return value.tensor.number if plugin or value.tensor.is_scalar else None
