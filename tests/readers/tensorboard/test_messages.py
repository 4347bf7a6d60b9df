"""Events byte by byte: fields of another wire type, several values of one tag, sessions, steps out of order."""

import math
import struct

import pytest

from tests import event_files
from tests import event_messages as event_pb2
from tests.event_files import read, scalar_event, write

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
START = event_pb2.SessionLog.START


def field(number: int, kind: int, body: bytes = b"\x01") -> bytes:
    """One field; a length before it where the wire type asks for one."""
    size = {FIXED64: 8, FIXED32: 4}.get(kind)
    length = bytes([len(body)]) if kind == LENGTH else b""
    return bytes([number << 3 | kind]) + length + (body.ljust(size, b"\0") if size else body)


TAG, STEP = field(1, LENGTH, b"loss"), field(2, VARINT, b"\x05")
SIMPLE = field(2, FIXED32, struct.pack("<f", 2.5))
SCALAR_TENSOR = field(1, VARINT, b"\x01") + field(5, LENGTH, struct.pack("<f", 2.5))
VALUES = (TAG + SIMPLE, TAG + field(8, LENGTH, SCALAR_TENSOR))


def event_of(*values: bytes) -> bytes:
    return STEP + field(5, LENGTH, b"".join(field(1, LENGTH, value) for value in values))


def outcome(path, *payloads: bytes):
    path.write_bytes(b"".join(map(event_files.record, payloads)))
    series, defects = read(path)
    points = {tag: list(zip(item.steps, item.values, strict=True)) for tag, item in series.items()}
    return points, [(defect.kind, defect.offset) for defect in defects]


def test_the_bytes_made_here_are_events(tmp_path):
    for value in VALUES:
        assert outcome(tmp_path / "x.tfevents", event_of(value)) == ({"loss": [(5, 2.5)]}, [])


@pytest.mark.parametrize(
    "wrong",
    [
        field(1, VARINT),
        field(2, FIXED64),
        field(2, LENGTH),
        field(5, VARINT),
        field(5, FIXED32),
        field(7, VARINT),
        b"\x2b" + TAG + b"\x2c",  # a summary that is a group, as messages were written once
        b"\x3b\x3b" + STEP + b"\x3c\x3c",
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_field_of_another_wire_type_costs_nothing_but_itself(wrong, first, tmp_path):
    good = event_of(TAG + SIMPLE)
    bad = wrong + good if first else good + wrong
    points, defects = outcome(tmp_path / "x.tfevents", good, bad, good)
    assert points == {"loss": [(5, 2.5)] * 3}
    assert defects == [("malformed", len(event_files.record(good)))]


def test_a_group_of_an_unknown_field_is_no_defect(tmp_path):
    good = event_of(TAG + SIMPLE)
    group = b"\xa3\x06" + field(1, VARINT) + field(1, FIXED64) + field(3, LENGTH, b"abc") + b"\xa4\x06"
    assert outcome(tmp_path / "x.tfevents", good + group, group + good) == ({"loss": [(5, 2.5)] * 2}, [])


def test_values_without_a_step_that_can_be_read_stand_at_the_step_before(tmp_path):
    """At step 0 they would look like a restart of the training."""
    value = field(5, LENGTH, field(1, LENGTH, TAG + SIMPLE))
    wrong = field(2, FIXED64) + value
    points, defects = outcome(tmp_path / "x.tfevents", wrong, event_of(TAG + SIMPLE), wrong, value)
    assert points == {"loss": [(0, 2.5), (5, 2.5), (5, 2.5), (0, 2.5)]}
    assert [kind for kind, _ in defects] == ["malformed"] * 2
    path = tmp_path / "x.tfevents"
    assert "a step of wire type 1, no step that can be read" in read(path)[1][0].message


def test_a_wall_time_of_another_wire_type_is_none(tmp_path):
    path = tmp_path / "x.tfevents"
    path.write_bytes(event_files.record(field(1, VARINT) + event_of(TAG + SIMPLE)))
    (series,), defects = read(path)[0].values(), read(path)[1]
    assert math.isnan(series.wall_times[0])
    assert [defect.kind for defect in defects] == ["malformed"]


@pytest.mark.parametrize("garbage", [b"\x0f", b"\x2e\x01", b"\x2a\x7f\x01", b"\x2c", b"\x3b\x08", b"\xff" * 11])
def test_what_stands_before_bytes_that_are_no_field_is_kept(garbage, tmp_path):
    good = event_of(TAG + SIMPLE)
    points, defects = outcome(tmp_path / "x.tfevents", good, good + garbage, garbage + good)
    assert points == {"loss": [(5, 2.5)] * 2}
    assert [kind for kind, _ in defects] == ["malformed"] * 2
    cut = STEP + field(5, LENGTH, field(1, LENGTH, TAG + SIMPLE) + garbage)
    assert outcome(tmp_path / "x.tfevents", cut) == ({"loss": [(5, 2.5)]}, [("malformed", 0)])


@pytest.mark.parametrize(
    "wrong",
    [
        field(1, VARINT) + SIMPLE,
        TAG + field(2, VARINT),
        TAG + field(2, FIXED64),
        TAG + field(8, VARINT),
        TAG + SIMPLE + field(9, FIXED32),
        TAG + field(8, LENGTH, field(1, FIXED32) + field(5, LENGTH, bytes(4))),
        TAG + field(8, LENGTH, SCALAR_TENSOR + field(2, VARINT)),
        TAG + field(8, LENGTH, field(1, VARINT) + field(4, VARINT)),
        TAG + field(8, LENGTH, field(1, VARINT) + field(5, VARINT)),
        TAG + field(8, LENGTH, field(1, VARINT) + field(5, FIXED64)),
    ],
)
def test_a_value_with_a_field_of_another_wire_type_costs_only_itself(wrong, tmp_path):
    good = field(1, LENGTH, b"good") + SIMPLE
    assert outcome(tmp_path / "x.tfevents", event_of(good, wrong, good)) == (
        {"good": [(5, 2.5), (5, 2.5)]},
        [("malformed", 0)],
    )


@pytest.mark.parametrize("wrong", [field(1, VARINT), field(1, FIXED32, field(15, VARINT) * 2)])
def test_a_summary_whose_value_is_of_another_wire_type_costs_only_that(wrong, tmp_path):
    payload = STEP + field(5, LENGTH, wrong + field(1, LENGTH, TAG + SIMPLE))
    assert outcome(tmp_path / "x.tfevents", payload) == ({"loss": [(5, 2.5)]}, [("malformed", 0)])


@pytest.mark.parametrize(
    ("dtype", "number", "kind", "body", "expected"),
    [
        (1, 5, FIXED32, struct.pack("<f", 2.5), 2.5),
        (2, 6, FIXED64, struct.pack("<d", -2.5), -2.5),
        (3, 7, VARINT, b"\xac\x02", 300.0),
        (9, 10, VARINT, b"\xff" * 9 + b"\x01", -1.0),
        (10, 11, VARINT, b"\x01", 1.0),
        (19, 13, VARINT, b"\x80\x80\x01", 2.0),
    ],
)
def test_numbers_packed_or_one_by_one(dtype, number, kind, body, expected, tmp_path):
    """Proto2 writers do not pack."""
    for stored in (field(number, kind, body), field(number, LENGTH, body), field(number, LENGTH, body * 2)):
        tensor = field(1, VARINT, bytes([dtype])) + stored
        assert outcome(tmp_path / "x.tfevents", event_of(TAG + field(8, LENGTH, tensor))) == (
            {"loss": [(5, expected)]},
            [],
        )


def test_several_values_of_one_tag_in_one_event_are_several_points(tmp_path):
    event = event_pb2.Event(step=5, wall_time=1.0)
    for number in (1.0, 2.0, 3.0):
        event.summary.value.add(tag="loss", simple_value=number)
        event.summary.value.add(tag="other", simple_value=-number)
    series, defects = read(write(tmp_path / "x.tfevents", [event, scalar_event(6, {"loss": 4.0})]))
    assert (list(series["loss"].steps), list(series["loss"].values)) == ([5, 5, 5, 6], [1.0, 2.0, 3.0, 4.0])
    assert (list(series["other"].values), defects) == ([-1.0, -2.0, -3.0], [])


def test_steps_out_of_order_stay_as_they_are(tmp_path):
    steps = [5, 3, 9, 9, -1, 2**40, 0, 4]
    events = [scalar_event(step, {"loss": float(index)}) for index, step in enumerate(steps)]
    series, defects = read(write(tmp_path / "x.tfevents", events))
    assert (list(series["loss"].steps), list(series["loss"].values)) == (steps, [float(n) for n in range(8)])
    assert (series["loss"].restarts, defects) == ([], [])


def session(status: int, step: int = 0) -> event_pb2.Event:
    return event_pb2.Event(wall_time=1.0, step=step, session_log=event_pb2.SessionLog(status=status))


def test_each_file_has_its_own_restarts(tmp_path):
    start, points = session(START), [scalar_event(step, {"loss": 1.0}) for step in range(3)]
    first = write(tmp_path / "a.tfevents", [start, *points, start, *points])
    second = write(tmp_path / "b.tfevents", [*points, start, *points])
    third = write(tmp_path / "c.tfevents", points)
    assert [read(path)[0]["loss"].restarts for path in (first, second, third, first)] == [[0, 3], [3], [], [0, 3]]


@pytest.mark.parametrize("status", [event_pb2.SessionLog.STOP, event_pb2.SessionLog.CHECKPOINT])
def test_the_end_of_a_session_and_a_checkpoint_are_no_restart(status, tmp_path):
    points = [scalar_event(step, {"loss": 1.0}) for step in range(3)]
    assert read(write(tmp_path / "x.tfevents", [*points, session(status), *points]))[0]["loss"].restarts == []


def test_a_restart_is_marked_where_the_tag_next_has_a_point(tmp_path):
    a, b, start = scalar_event(1, {"a": 1.0}), scalar_event(1, {"b": 1.0}), session(START)
    series, _ = read(write(tmp_path / "x.tfevents", [a, b, start, a, a, start, a, b, b]))
    assert (series["a"].restarts, series["b"].restarts) == ([1, 3], [1])
