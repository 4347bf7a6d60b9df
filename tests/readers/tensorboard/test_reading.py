"""Scalars of every type and form; `tests/reference` compares the same files with the reference reader."""

import struct

import pytest

from tests import event_files
from tests import event_messages as event_pb2
from tests import event_messages as tensor_pb2
from tests.event_files import read, scalar_event, write

DT = {
    "float": 1,
    "double": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "int64": 9,
    "bool": 10,
    "bfloat16": 14,
    "uint16": 17,
    "half": 19,
}


def tensor_event(step: int, tensor: tensor_pb2.TensorProto, plugin: str | None = "scalars") -> event_pb2.Event:
    event = event_pb2.Event(step=step, wall_time=1.0)
    value = event.summary.value.add(tag="loss", tensor=tensor)
    if plugin is not None:
        value.metadata.plugin_data.plugin_name = plugin
    return event


def content(kind: str, number: float) -> bytes:
    layout = {
        "float": "f",
        "double": "d",
        "int32": "i",
        "uint8": "B",
        "int16": "h",
        "int8": "b",
        "int64": "q",
        "bool": "?",
        "uint16": "H",
    }
    if kind == "half":
        return struct.pack("<e", number)
    if kind == "bfloat16":
        return struct.pack("<f", number)[2:]
    return struct.pack("<" + layout[kind], number if kind in ("float", "double") else int(number))


def contents_of(kind: str) -> list[float]:
    return [0.0, 1.0] if kind == "bool" else [0.0, 2.0, 96.0]


def content_events(kind: str) -> list[event_pb2.Event]:
    tensors = [
        tensor_pb2.TensorProto(dtype=DT[kind], tensor_content=content(kind, number)) for number in contents_of(kind)
    ]
    return [tensor_event(step, tensor) for step, tensor in enumerate(tensors)]


@pytest.mark.parametrize("kind", DT)
def test_tf2_tensor_content_of_every_type(kind, tmp_path):
    path = write(tmp_path / "x.tfevents", content_events(kind))
    assert list(read(path)[0]["loss"].values) == contents_of(kind)


VALUES = [
    (kind, number)
    for kind in DT
    for number in (0.0, 1.0, -3.0)
    if number >= 0 or not (kind.startswith("u") or kind == "bool")
]


def value_event(kind: str, number: float) -> event_pb2.Event:
    tensor = tensor_pb2.TensorProto(dtype=DT[kind])
    if kind in ("half", "bfloat16"):
        tensor.half_val.append(int.from_bytes(content(kind, number), "little"))
    else:
        field = {"float": "float_val", "double": "double_val", "int64": "int64_val", "bool": "bool_val"}.get(
            kind, "int_val"
        )
        getattr(tensor, field).append(number if kind in ("float", "double") else int(number))
    return tensor_event(3, tensor)


@pytest.mark.parametrize(("kind", "number"), VALUES)
def test_tensor_values_of_every_type(kind, number, tmp_path):
    path = write(tmp_path / "x.tfevents", [value_event(kind, number)])
    assert list(read(path)[0]["loss"].values) == [number]


def test_metadata_stands_in_the_first_record_only(tmp_path):
    tensor = tensor_pb2.TensorProto(dtype=1, float_val=[0.5], tensor_shape={})
    scalars = write(tmp_path / "a.tfevents", [tensor_event(0, tensor), tensor_event(1, tensor, None)])
    others = write(tmp_path / "b.tfevents", [tensor_event(0, tensor, "custom"), tensor_event(1, tensor, None)])
    assert len(read(scalars)[0]["loss"]) == 2
    assert read(others)[0] == {}


def test_what_is_no_scalar_is_left_out_without_a_defect(tmp_path):
    shape = tensor_pb2.TensorShapeProto(dim=[tensor_pb2.Dim(size=2)])
    tensors = [
        tensor_pb2.TensorProto(dtype=1, float_val=[0.5, 0.5], tensor_shape=shape),
        tensor_pb2.TensorProto(dtype=7, string_val=[b"text"], tensor_shape={}),
    ]
    path = write(tmp_path / "x.tfevents", [tensor_event(0, tensor, None) for tensor in tensors])
    assert read(path) == ({}, [])


def test_a_scalar_tensor_without_its_value_is_a_defect(tmp_path):
    path = write(
        tmp_path / "x.tfevents", [tensor_event(0, tensor_pb2.TensorProto(dtype=1)), scalar_event(1, {"loss": 2.0})]
    )
    series, defects = read(path)
    assert list(series["loss"].values) == [2.0]
    assert [(defect.kind, defect.offset) for defect in defects] == [("malformed", 0)]


def test_unknown_fields_are_skipped_and_the_last_of_a_repeated_one_counts(tmp_path):
    payload = scalar_event(1, {"loss": 2.0}).SerializeToString()
    extended = payload + bytes([0x10, 7]) + bytes([0xA5, 6, 1, 2, 3, 4]) + bytes([0xA2, 6, 2, 9, 9])
    path = tmp_path / "x.tfevents"
    path.write_bytes(event_files.record(extended))
    series, defects = read(path)
    assert (list(series["loss"].steps), defects) == ([7], [])


@pytest.mark.parametrize("payload", [b"\xff" * 11, b"\x0b", b"\x00\x01", b"\x2a\x7f", b"\x09\x01", b"\x0f"])
def test_an_intact_record_that_is_no_event_is_a_defect(payload, tmp_path):
    path = tmp_path / "x.tfevents"
    path.write_bytes(event_files.record(payload) + event_files.records([scalar_event(1, {"loss": 2.0})])[0])
    series, defects = read(path)
    assert [defect.kind for defect in defects] == ["malformed"]
    assert len(series["loss"]) == 1


def test_a_session_start_marks_a_restart_for_every_tag(tmp_path):
    start = event_pb2.Event(wall_time=1.0, step=2, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))
    points = [scalar_event(step, {"a": 1.0, "b": 1.0}) for step in (1, 2, 3)]
    series, _ = read(write(tmp_path / "x.tfevents", [start, *points, start, *points[1:]]))
    assert [series[tag].restarts for tag in "ab"] == [[0, 3], [0, 3]]


def test_large_files_come_in_chunks(tmp_path, monkeypatch):
    from audioloss_cli.readers import tensorboard

    monkeypatch.setattr("audioloss_cli.model.series.POINTS_OF_A_CHUNK", 10)
    path = write(tmp_path / "x.tfevents", [scalar_event(step, {"loss": float(step)}) for step in range(35)])
    chunks = list(tensorboard.read(path))
    assert [len(chunk) for chunk in chunks] == [10, 10, 10, 5]
    assert list(read(path)[0]["loss"].steps) == list(range(35))
