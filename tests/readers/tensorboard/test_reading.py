"""Every writer's scalars, equal to the reference reader's."""

import math
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, tensor_pb2
from tensorboard.util import tensor_util
from tensorboardX import SummaryWriter as TensorboardXWriter
from torch.utils.tensorboard import SummaryWriter as TorchWriter

from tests import event_files
from tests.event_files import bits, read, reference, scalar_event, triples, version_event, write

NUMBERS = [0.0, -0.0, 1.5, -2.25, 1e-45, 3.4e38, math.nan, math.inf, -math.inf]
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


def assert_equals_reference(path):
    ours, defects = read(path)
    assert defects == []
    assert {tag: bits(triples(series)) for tag, series in ours.items()} == {
        tag: bits(p) for tag, p in reference(path).items()
    }


@pytest.mark.parametrize("make", [TorchWriter, TensorboardXWriter])
def test_real_writers(make, tmp_path):
    writer = make(str(tmp_path))
    for step, number in enumerate(NUMBERS):
        writer.add_scalar("train/audio_loss", number, step)
        writer.add_scalars("group", {"a": number, "b": 1.0}, step)
    writer.add_text("text", "hello", 1)
    writer.close()
    for path in tmp_path.rglob("*tfevents*"):
        assert_equals_reference(path)


def test_torch_new_style_tensors(tmp_path):
    writer = TorchWriter(str(tmp_path))
    for step, number in enumerate(NUMBERS):
        writer.add_scalar("loss", number, step, new_style=True)
        writer.add_scalar("double", number, step, new_style=True, double_precision=True)
    writer.close()
    (path,) = tmp_path.iterdir()
    assert_equals_reference(path)
    assert len(read(path)[0]["double"]) == len(NUMBERS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    points=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.dictionaries(st.text(max_size=6), st.floats(width=32), max_size=3),
            st.floats(0, 2e9),
        ),
        max_size=8,
    )
)
def test_any_healthy_file_equals_the_reference(tmp_path, points):
    events = [version_event(), *(scalar_event(step, values, wall) for step, values, wall in points)]
    assert_equals_reference(write(tmp_path / "x.tfevents", events))


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


@pytest.mark.parametrize("kind", DT)
def test_tf2_tensor_content_of_every_type(kind, tmp_path):
    numbers = [0.0, 1.0] if kind == "bool" else [0.0, 2.0, 96.0]
    tensors = [tensor_pb2.TensorProto(dtype=DT[kind], tensor_content=content(kind, number)) for number in numbers]
    path = write(tmp_path / "x.tfevents", [tensor_event(step, tensor) for step, tensor in enumerate(tensors)])
    assert list(read(path)[0]["loss"].values) == numbers
    if kind != "bfloat16":  # the reference reader raises TypeError without TensorFlow
        assert_equals_reference(path)


@pytest.mark.parametrize("kind", DT)
@pytest.mark.parametrize("number", [0.0, 1.0, -3.0])
def test_tensor_values_of_every_type(kind, number, tmp_path):
    if number < 0 and (kind.startswith("u") or kind == "bool"):
        pytest.skip("unsigned")
    tensor = tensor_pb2.TensorProto(dtype=DT[kind])
    if kind in ("half", "bfloat16"):
        tensor.half_val.append(int.from_bytes(content(kind, number), "little"))
    else:
        field = {"float": "float_val", "double": "double_val", "int64": "int64_val", "bool": "bool_val"}.get(
            kind, "int_val"
        )
        getattr(tensor, field).append(number if kind in ("float", "double") else int(number))
    path = write(tmp_path / "x.tfevents", [tensor_event(3, tensor)])
    assert list(read(path)[0]["loss"].values) == [number]
    if kind != "bfloat16":  # the reference reader raises TypeError without TensorFlow
        assert_equals_reference(path)


def test_metadata_stands_in_the_first_record_only(tmp_path):
    tensor = tensor_util.make_tensor_proto(0.5)
    scalars = write(tmp_path / "a.tfevents", [tensor_event(0, tensor), tensor_event(1, tensor, None)])
    others = write(tmp_path / "b.tfevents", [tensor_event(0, tensor, "custom"), tensor_event(1, tensor, None)])
    assert len(read(scalars)[0]["loss"]) == 2
    assert read(others)[0] == {}


def test_what_is_no_scalar_is_left_out_without_a_defect(tmp_path):
    tensors = [tensor_util.make_tensor_proto([0.5, 0.5]), tensor_util.make_tensor_proto("text")]
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
