"""Tensors of one number: which shapes and types count, and what a bad one costs."""

import struct

import pytest

from tests import event_messages as tensor_pb2
from tests.event_files import read, records, write
from tests.event_messages import Event

DT_FLOAT, DT_UINT32, DT_UINT64, DT_COMPLEX64 = 1, 22, 23, 8


def shaped(*sizes: int, unknown_rank: bool = False, count: int = 1) -> tensor_pb2.TensorProto:
    dims = [tensor_pb2.Dim(size=size) for size in sizes]
    shape = tensor_pb2.TensorShapeProto(dim=dims, unknown_rank=unknown_rank)
    return tensor_pb2.TensorProto(dtype=DT_FLOAT, tensor_shape=shape, float_val=[2.5] * count)


def event(*tensors: tensor_pb2.TensorProto, step: int = 3, plugin: str | None = "scalars") -> Event:
    made = Event(step=step, wall_time=1.0)
    for number, tensor in enumerate(tensors):
        value = made.summary.value.add(tag=f"loss{number}", tensor=tensor)
        if plugin is not None:
            value.metadata.plugin_data.plugin_name = plugin
    return made


def values(path) -> dict[str, list[float]]:
    series, defects = read(path)
    assert defects == []
    return {tag: list(item.values) for tag, item in series.items()}


@pytest.mark.parametrize("sizes", [(), (1,), (1, 1)])
def test_a_scalar_that_its_plugin_vouches_for_may_have_any_rank(sizes, tmp_path):
    assert values(write(tmp_path / "x.tfevents", [event(shaped(*sizes))])) == {"loss0": [2.5]}


@pytest.mark.parametrize(("sizes", "read_as"), [((), [2.5]), ((1,), None), ((1, 1), None)])
def test_without_a_plugin_only_rank_0_is_a_scalar(sizes, read_as, tmp_path):
    path = write(tmp_path / "x.tfevents", [event(shaped(*sizes), plugin=None)])
    assert values(path).get("loss0") == read_as


def test_the_data_class_vouches_as_the_plugin_does(tmp_path):
    made = event(shaped(1), plugin="somebody's own")
    made.summary.value[0].metadata.data_class = 1  # DATA_CLASS_SCALAR
    assert values(write(tmp_path / "x.tfevents", [made])) == {"loss0": [2.5]}


@pytest.mark.parametrize(
    "tensor", [shaped(2, count=2), shaped(0, count=0), shaped(-1), shaped(1, 2, count=2), shaped(unknown_rank=True)]
)
def test_several_numbers_none_and_an_unknown_count_are_no_scalar(tensor, tmp_path):
    assert values(write(tmp_path / "x.tfevents", [event(tensor, shaped())])) == {"loss1": [2.5]}


UNSIGNED = [
    *((DT_UINT32, "<I", number) for number in (0, 7, 2**31, 2**32 - 1)),
    *((DT_UINT64, "<Q", number) for number in (0, 7, 2**63, 2**64 - 1)),
]


def unsigned(dtype: int, layout: str, number: int) -> Event:
    return event(tensor_pb2.TensorProto(dtype=dtype, tensor_content=struct.pack(layout, number)))


@pytest.mark.parametrize(("dtype", "layout", "number"), UNSIGNED)
def test_unsigned_numbers_of_32_and_64_bits(dtype, layout, number, tmp_path):
    val = tensor_pb2.TensorProto(dtype=dtype)
    (val.uint32_val if dtype == DT_UINT32 else val.uint64_val).append(number)
    assert values(write(tmp_path / "x.tfevents", [unsigned(dtype, layout, number)])) == {"loss0": [float(number)]}
    # The reference reader raises TypeError for these without TensorFlow.
    assert values(write(tmp_path / "y.tfevents", [event(val)])) == {"loss0": [float(number)]}


BAD = {
    "no number": tensor_pb2.TensorProto(dtype=DT_FLOAT),
    "short content": tensor_pb2.TensorProto(dtype=DT_FLOAT, tensor_content=b"\0\0"),
    "long content": tensor_pb2.TensorProto(dtype=DT_FLOAT, tensor_content=bytes(8)),
    "a number of another type": tensor_pb2.TensorProto(dtype=DT_FLOAT, int_val=[3]),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_tensor_costs_only_itself(bad, place, tmp_path):
    tensors = [shaped(), shaped(1), shaped()]
    tensors[place] = BAD[bad]
    events = [event(shaped(), shaped(), shaped(), step=1), event(*tensors, step=2)]
    path = write(tmp_path / "x.tfevents", events)
    series, (defect,) = read(path)
    assert [list(series[f"loss{n}"].steps) for n in range(3)] == [[1] if n == place else [1, 2] for n in range(3)]
    assert (defect.kind, defect.path, defect.offset) == ("malformed", str(path), len(records(events)[0]))
    assert "1 values that cannot be read" in defect.message


def test_two_bad_tensors_of_an_event_are_one_defect_that_counts_them(tmp_path):
    path = write(tmp_path / "x.tfevents", [event(*list(BAD.values())[:2], shaped())])
    series, (defect,) = read(path)
    assert set(series) == {"loss2"}
    assert "2 values" in defect.message


def test_complex_numbers_are_no_scalars_and_no_defect(tmp_path):
    tensor = tensor_pb2.TensorProto(dtype=DT_COMPLEX64, scomplex_val=[1.0, 2.0])
    assert values(write(tmp_path / "x.tfevents", [event(tensor, shaped())])) == {"loss1": [2.5]}
