"""``tensorboard.Event`` messages: wall time, step, and the scalar candidates of the summary.

Field numbers: tensorboard/compat/proto/event.proto and summary.proto.
"""

from typing import NamedTuple

from audioloss_cli.readers.tensorboard.tensor import tensor_scalar
from audioloss_cli.readers.tensorboard.wire import FIXED32, FIXED64, LENGTH, VARINT, double, fields, signed, single

_WALL_TIME, _STEP, _SUMMARY, _SESSION_LOG = (1, FIXED64), (2, VARINT), (5, LENGTH), (7, LENGTH)
_SUMMARY_VALUE = (1, LENGTH)
_TAG, _SIMPLE_VALUE, _TENSOR, _METADATA = (1, LENGTH), (2, FIXED32), (8, LENGTH), (9, LENGTH)
_PLUGIN_DATA, _DATA_CLASS, _PLUGIN_NAME = (1, LENGTH), (4, VARINT), (1, LENGTH)
_OTHER_VALUES = {3, 4, 5, 6}  # the rest of the oneof: old histogram, image, histogram, audio
_SESSION_STATUS, _SESSION_START = (1, VARINT), 1
_DATA_CLASS_SCALAR = 1
_SCALAR_PLUGIN = "scalars"


class SummaryValue(NamedTuple):
    """One value of a summary.

    Attributes:
        tag: its name.
        simple: the float32 of a ``simple_value``, or None.
        tensor: the one number of a rank-0 tensor, or None.
        plugin: the plugin that its metadata names, None when it carries no metadata.
    """

    tag: str
    simple: float | None
    tensor: float | None
    plugin: str | None


class Event(NamedTuple):
    """One event: Unix seconds, training step, values, and whether it marks the start of a session."""

    wall_time: float
    step: int
    values: list[SummaryValue]
    starts_session: bool


def parse_event(data: bytes) -> Event:
    """Parse one event.

    Raises:
        WireError: the bytes are no protocol buffers message.
    """
    wall_time, step, starts = 0.0, 0, False
    values: list[SummaryValue] = []
    for number, kind, start, stop in fields(data, 0, len(data)):
        field = (number, kind)
        if field == _WALL_TIME:
            wall_time = double(data, start)
        elif field == _STEP:
            step = signed(start)
        elif field == _SUMMARY:
            inner = fields(data, start, stop)
            values += [_value(data, item[2], item[3]) for item in inner if item[:2] == _SUMMARY_VALUE]
        elif field == _SESSION_LOG:
            starts = any(
                item[:2] == _SESSION_STATUS and item[2] == _SESSION_START for item in fields(data, start, stop)
            )
    return Event(wall_time, step, values, starts)


def _value(data: bytes, at: int, end: int) -> SummaryValue:
    tag, simple, tensor, plugin = "", None, None, None
    for number, kind, start, stop in fields(data, at, end):
        field = (number, kind)
        if field == _TAG:
            tag = data[start:stop].decode("utf-8", "backslashreplace")
        elif field == _SIMPLE_VALUE:
            simple, tensor = single(data, start), None
        elif field == _TENSOR:
            simple, tensor = None, tensor_scalar(data, start, stop)
        elif field == _METADATA:
            plugin = _plugin(data, start, stop)
        elif number in _OTHER_VALUES:
            simple = tensor = None
    return SummaryValue(tag, simple, tensor, plugin)


def _plugin(data: bytes, at: int, end: int) -> str:
    plugin, scalar = "", False
    for number, kind, start, stop in fields(data, at, end):
        if (number, kind) == _PLUGIN_DATA:
            names = [data[item[2] : item[3]] for item in fields(data, start, stop) if item[:2] == _PLUGIN_NAME]
            plugin = names[-1].decode("utf-8", "backslashreplace") if names else ""
        elif (number, kind) == _DATA_CLASS:
            scalar = start == _DATA_CLASS_SCALAR
    return _SCALAR_PLUGIN if scalar else plugin
