"""What the records of one tag have in common: all their bytes but those of wall time, step and value.

A writer repeats itself: from point to point nothing else changes as long as the step has as many digits. So one record,
read once by the wire parser, says where the numbers of all records like it stand. Whatever is not plainly of this kind
has no template and is read by the parser each time.
"""

from typing import NamedTuple

from audioloss_cli.readers._protobuf import FIXED32, FIXED64, LENGTH, VARINT, WireError, fields
from audioloss_cli.readers.tensorboard.events import Event, parse_event

WALL_TIME_AT = 1  # in the payload; its key is the first byte
STEP_AT = 10  # behind wall time and the key of the step
STEP_KEY = 0x10
LONGEST_STEP = 8  # bytes of a varint; negative steps have 10
LONGEST_PAYLOAD = 4096
_WALL_TIME, _STEP, _SUMMARY, _VALUE = (1, FIXED64), (2, VARINT), (5, LENGTH), (1, LENGTH)
_TAG, _SIMPLE, _TENSOR, _METADATA = (1, LENGTH), (2, FIXED32), (8, LENGTH), (9, LENGTH)
_KNOWN = {_TAG, _SIMPLE, _TENSOR, _METADATA}
_DTYPE, _CONTENT = (1, VARINT), (4, LENGTH)
_FLOAT, _DOUBLE = 1, 2  # DataType of tensorflow/types.proto
_FLOAT_VAL, _DOUBLE_VAL = 5, 6
_CONTINUED = 0x80


class Place(NamedTuple):
    """One value of the record.

    Attributes:
        tag: its name.
        at: index of its number in the payload.
        layout: of that number, ``<f4`` or ``<f8``.
        tensor: whether it is a tensor rather than a ``simple_value``.
        is_scalar: of a tensor, whether its rank is 0.
        plugin: that its metadata names, None without metadata.
    """

    tag: str
    at: int
    layout: str
    tensor: bool
    is_scalar: bool
    plugin: str | None


class Template(NamedTuple):
    """A record and where its numbers stand.

    Attributes:
        payload: the record that it was learnt from.
        step_bytes: length of the step, 0 if there is none (step 0 is not written).
        places: its values, in order.
        fixed: bits of the payload that all records of the template share, as a mask.
    """

    payload: bytes
    step_bytes: int
    places: tuple[Place, ...]
    fixed: bytes


def learn(payload: bytes) -> Template | None:
    """The template of a record; None if it is not a plain one: wall time, step, and values that are single floats."""
    if len(payload) > LONGEST_PAYLOAD:
        return None
    try:
        event = parse_event(payload)
        step_bytes, spans = _outline(payload)
        places = [_place(payload, event, number, *span) for number, span in enumerate(spans)]
    except (WireError, _OddError, IndexError):
        return None
    fixed = bytearray(b"\xff" * len(payload))
    fixed[WALL_TIME_AT : WALL_TIME_AT + 8] = bytes(8)
    for index in range(STEP_AT, STEP_AT + step_bytes):
        fixed[index] = _CONTINUED  # how long the step is
    for place in places:
        fixed[place.at : place.at + int(place.layout[-1])] = bytes(int(place.layout[-1]))
    return Template(payload, step_bytes, tuple(places), bytes(fixed))


class _OddError(Exception):
    """The record is not a plain one."""


def _outline(payload: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Length of the step, and where each value of the summary lies."""
    found = list(fields(payload, 0, len(payload)))
    kinds = [item[:2] for item in found]
    if kinds not in ([_WALL_TIME, _STEP, _SUMMARY], [_WALL_TIME, _SUMMARY]) or found[0][2] != WALL_TIME_AT:
        raise _OddError
    step_bytes = found[1][3] - STEP_AT if kinds[1] == _STEP else 0
    if step_bytes > LONGEST_STEP or (
        step_bytes and payload[STEP_AT - 1] != STEP_KEY
    ):  # a key may be longer than it need be
        raise _OddError
    values = list(fields(payload, *found[-1][2:]))
    if any(item[:2] != _VALUE for item in values):
        raise _OddError
    return step_bytes, [item[2:] for item in values]


def _place(payload: bytes, event: Event, number: int, at: int, end: int) -> Place:
    value = event.values[number]
    parts = list(fields(payload, at, end))
    kinds = [part[:2] for part in parts]
    if event.faults or len(set(kinds)) != len(kinds) or not _KNOWN.issuperset(kinds):
        raise _OddError
    numbers = [part for part in parts if part[:2] in (_SIMPLE, _TENSOR)]
    if len(numbers) != 1 or _TAG not in kinds:
        raise _OddError
    if numbers[0][:2] == _SIMPLE:
        return Place(value.tag, numbers[0][2], "<f4", tensor=False, is_scalar=True, plugin=value.plugin)
    if value.tensor is None:
        raise _OddError
    start, layout = _tensor_place(payload, *numbers[0][2:])
    return Place(value.tag, start, layout, tensor=True, is_scalar=value.tensor.is_scalar, plugin=value.plugin)


def _tensor_place(payload: bytes, at: int, end: int) -> tuple[int, str]:
    """Where the number of a float or double tensor stands, if it stands there as it is in memory."""
    every = list(fields(payload, at, end))
    parts = {part[:2]: part[2:] for part in every}
    size = {_FLOAT: 4, _DOUBLE: 8}.get(parts.get(_DTYPE, (0, 0))[0], 0)
    own = _FLOAT_VAL if size == 4 else _DOUBLE_VAL  # noqa: PLR2004  # bytes
    plain = {_CONTENT, (own, LENGTH), (own, FIXED32 if own == _FLOAT_VAL else FIXED64)}
    found = [span for kind, span in parts.items() if kind in plain]
    if not size or len(parts) != len(every) or len(found) != 1 or found[0][1] - found[0][0] != size:
        raise _OddError
    return found[0][0], f"<f{size}"
