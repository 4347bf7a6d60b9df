"""``tensorboard.Event`` messages: wall time, step, and the scalar candidates of the summary.

Field numbers: tensorboard/compat/proto/event.proto and summary.proto.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from audioloss_cli.readers._protobuf import (
    FIXED32,
    FIXED64,
    LENGTH,
    VARINT,
    WireError,
    double,
    fields,
    signed,
    single,
)
from audioloss_cli.readers.tensorboard.tensor import TensorNumber, tensor_number

_WALL_TIME, _STEP, _SUMMARY, _SESSION_LOG = (1, FIXED64), (2, VARINT), (5, LENGTH), (7, LENGTH)
_SUMMARY_VALUE = (1, LENGTH)
_TAG, _SIMPLE_VALUE, _TENSOR, _METADATA = (1, LENGTH), (2, FIXED32), (8, LENGTH), (9, LENGTH)
_PLUGIN_DATA, _DATA_CLASS, _PLUGIN_NAME = (1, LENGTH), (4, VARINT), (1, LENGTH)
_EVENT_FIELDS = {_WALL_TIME[0]: "wall time", _STEP[0]: "step", _SUMMARY[0]: "summary", _SESSION_LOG[0]: "session log"}
_VALUE_FIELDS = {number for number, _ in (_TAG, _SIMPLE_VALUE, _TENSOR, _METADATA)}
_OTHER_VALUES = {3, 4, 5, 6}  # the rest of the oneof: old histogram, image, histogram, audio
_SESSION_STATUS, _SESSION_START = (1, VARINT), 1
_DATA_CLASS_SCALAR = 1
SCALAR_PLUGIN = "scalars"


class SummaryValue(NamedTuple):
    """One value of a summary.

    Attributes:
        tag: its name.
        simple: the float32 of a ``simple_value``, or None.
        tensor: the one number of a tensor, or None.
        plugin: the plugin that its metadata names, None when it carries no metadata.
    """

    tag: str
    simple: float | None
    tensor: TensorNumber | None
    plugin: str | None


class Event(NamedTuple):
    """One event.

    Attributes:
        wall_time: Unix seconds; NaN if it cannot be read.
        step: training step; None if it cannot be read.
        values: those that could be read.
        starts_session: whether it marks the start of a session.
        faults: in words, what could not be read of it.
    """

    wall_time: float
    step: int | None
    values: list[SummaryValue]
    starts_session: bool
    faults: tuple[str, ...] = ()


def parse_event(data: bytes) -> Event:
    """Parse one event; a field or a value that cannot be read costs no other one.

    As in every protocol buffers parser, a field of another wire type than its own counts as one that is not known.

    Raises:
        WireError: the bytes are no protocol buffers message, up to the first value of a summary.
    """
    return _EventParser(data).parse()


class _EventParser:
    """What is known of one event, field by field."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._wall_time: float | None = None
        self._step: int | None = None
        self._starts = False
        self._values: list[SummaryValue] = []
        self._unreadable = 0
        self._wrong: dict[int, int] = {}  # field number -> wire type
        self._broken = False

    def parse(self) -> Event:
        """All of it."""
        try:
            for each in fields(self._data, 0, len(self._data)):
                self._take(*each)
        except WireError:
            if not self._values:
                raise
            self._broken = True
        wall_time, step = self._wall_time, self._step
        if wall_time is None:
            wall_time = math.nan if _WALL_TIME[0] in self._wrong else 0.0
        if step is None and not self._broken and _STEP[0] not in self._wrong:
            step = 0  # which is not written
        return Event(wall_time, step, self._values, self._starts, tuple(self._faults(step)))

    def _take(self, number: int, kind: int, start: int, stop: int) -> None:
        field = (number, kind)
        if field == _WALL_TIME:
            self._wall_time = double(self._data, start)
        elif field == _STEP:
            self._step = signed(start)
        elif field == _SUMMARY:
            for item in fields(self._data, start, stop):
                self._take_value(*item)
        elif field == _SESSION_LOG:
            statuses = [item[2] for item in fields(self._data, start, stop) if item[:2] == _SESSION_STATUS]
            self._starts = statuses[-1:] == [_SESSION_START]
        elif number in _EVENT_FIELDS:
            self._wrong[number] = kind

    def _take_value(self, number: int, kind: int, start: int, stop: int) -> None:
        if number != _SUMMARY_VALUE[0]:
            return
        value = _readable(self._data, kind, start, stop)
        if value is None:
            self._unreadable += 1
        else:
            self._values.append(value)

    def _faults(self, step: int | None) -> Iterator[str]:
        if self._unreadable:
            yield f"{self._unreadable} values that cannot be read"
        for number, kind in self._wrong.items():
            yield f"a {_EVENT_FIELDS[number]} of wire type {kind}"
        if self._broken:
            yield "bytes that are no field"
        if step is None and self._values:
            yield "no step that can be read, so that its values stand at the step before"


def _readable(data: bytes, kind: int, at: int, end: int) -> SummaryValue | None:
    try:
        return _value(data, at, end) if kind == LENGTH else None
    except WireError:
        return None


def _value(data: bytes, at: int, end: int) -> SummaryValue:
    tag, simple, tensor, plugin = "", None, None, None
    for number, kind, start, stop in fields(data, at, end):
        field = (number, kind)
        if field == _TAG:
            tag = data[start:stop].decode("utf-8", "backslashreplace")
        elif field == _SIMPLE_VALUE:
            simple, tensor = single(data, start), None
        elif field == _TENSOR:
            simple, tensor = None, tensor_number(data, start, stop)
        elif field == _METADATA:
            plugin = _plugin(data, start, stop)
        elif number in _OTHER_VALUES:
            simple = tensor = None
        elif number in _VALUE_FIELDS:
            raise WireError(f"field {number} of wire type {kind}")
    return SummaryValue(tag, simple, tensor, plugin)


def _plugin(data: bytes, at: int, end: int) -> str:
    plugin, scalar = "", False
    for number, kind, start, stop in fields(data, at, end):
        if (number, kind) == _PLUGIN_DATA:
            names = [data[item[2] : item[3]] for item in fields(data, start, stop) if item[:2] == _PLUGIN_NAME]
            plugin = names[-1].decode("utf-8", "backslashreplace") if names else ""
        elif (number, kind) == _DATA_CLASS:
            scalar = start == _DATA_CLASS_SCALAR
    return SCALAR_PLUGIN if scalar else plugin
