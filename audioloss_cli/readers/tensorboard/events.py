"""``tensorboard.Event`` messages: wall time, step, and the scalar candidates of the summary.

Field numbers: tensorboard/compat/proto/event.proto and summary.proto.
"""

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
_EVENT_FIELDS = {number for number, _ in (_WALL_TIME, _STEP, _SUMMARY, _SESSION_LOG)}
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
        wall_time: Unix seconds.
        step: training step.
        values: those that could be read.
        unreadable: number of those that could not.
        starts_session: whether it marks the start of a session.
    """

    wall_time: float
    step: int
    values: list[SummaryValue]
    unreadable: int
    starts_session: bool


def parse_event(data: bytes) -> Event:
    """Parse one event; a value that cannot be read costs no other one.

    Raises:
        WireError: the bytes are no protocol buffers message.
    """
    wall_time, step, starts = 0.0, 0, False
    values: list[SummaryValue] = []
    unreadable = 0
    for number, kind, start, stop in fields(data, 0, len(data)):
        field = (number, kind)
        if field == _WALL_TIME:
            wall_time = double(data, start)
        elif field == _STEP:
            step = signed(start)
        elif field == _SUMMARY:
            for item in fields(data, start, stop):
                if item[0] == _SUMMARY_VALUE[0]:
                    value = _readable(data, *item[1:])
                    values += [value] if value else []
                    unreadable += value is None
        elif field == _SESSION_LOG:
            statuses = [item[2] for item in fields(data, start, stop) if item[:2] == _SESSION_STATUS]
            starts = statuses[-1:] == [_SESSION_START]
        elif number in _EVENT_FIELDS:
            raise WireError(f"field {number} of wire type {kind}")
    return Event(wall_time, step, values, unreadable, starts)


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
