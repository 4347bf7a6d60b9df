"""The messages and checksums of the core's tests are those of the reference implementation, byte by byte."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, tensor_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c as their_checksum

from tests import event_messages as ours
from tests.event_files import masked_crc32c, scalar_event, version_event
from tests.readers.healthy import HEALTHY
from tests.readers.tensorboard import test_messages as by_hand
from tests.readers.tensorboard import test_reading as forms
from tests.readers.tensorboard import test_tensors as tensors
from tests.readers.tensorboard.test_paths import KINDS, Stretch, payload

INTEGERS = [0, 1, -1, 127, 128, 2**31 - 1, -(2**31)]
FLOATS = [0.0, -0.0, 1.5, math.inf, -math.inf]


def same(mine: ours.Message, theirs=event_pb2.Event) -> bool:
    """Whether the reference implementation reads the bytes and writes them again."""
    made = mine.SerializeToString()
    return theirs.FromString(made).SerializeToString() == made


@given(st.binary())
def test_checksums(data):
    assert masked_crc32c(data) == their_checksum(data)


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.dictionaries(st.text(max_size=6), st.floats(width=32, allow_nan=False), max_size=3),
    st.floats(),
)
def test_scalars(step, values, wall_time):
    event = event_pb2.Event(step=step, wall_time=wall_time or 1.7e9 + step)
    for tag, value in values.items():
        event.summary.value.add(tag=tag, simple_value=value)
    assert scalar_event(step, values, wall_time).SerializeToString() == event.SerializeToString()


@pytest.mark.parametrize("field", ours.TensorProto.FIELDS)
def test_every_field_of_a_tensor(field):
    kind = ours.TensorProto.FIELDS[field][1]
    numbers = {"float": FLOATS, "double": FLOATS, "bool": [True, False], "bytes": [b"", b"ab"]}
    unsigned = [number for number in INTEGERS if number >= 0]
    values = {
        "tensor_shape": [{}, {"unknown_rank": True}, {"dim": [{"size": -1, "name": "x"}, {"size": 2**40}]}],
        "dtype": [0, 1, 19],
        "tensor_content": [b"", b"\0\1"],
    }.get(field) or [numbers.get(kind[0], unsigned if kind[0].startswith("u") else INTEGERS)]
    for value in values:
        mine, theirs = ours.TensorProto(**{field: value}), tensor_pb2.TensorProto(**{field: value})
        assert mine.SerializeToString() == theirs.SerializeToString()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("garbage", "long key")])
def test_every_kind_of_record(kind):
    for number in range(3):
        made = payload(Stretch(kind, "loss", 127, 1000, 3), number)
        assert event_pb2.Event.FromString(made).SerializeToString() == made


def test_the_other_files_of_the_tests():
    assert same(version_event())
    for kind in forms.DT:
        assert all(same(event) for event in forms.content_events(kind))
    assert all(same(forms.value_event(kind, number)) for kind, number in forms.VALUES)
    assert same(tensors.event(*(tensors.shaped(*sizes) for sizes in [(), (1,), (0,), (2, 3)])))
    assert HEALTHY["tensorboard"].content


def test_events_made_byte_by_byte():
    for value in by_hand.VALUES:
        event = event_pb2.Event.FromString(by_hand.event_of(value))
        assert (event.step, event.summary.value[0].tag) == (5, "loss")


def test_a_field_that_there_is_not_is_refused():
    with pytest.raises(AttributeError, match="no field 'stpe'"):
        ours.Event().stpe = 5
    with pytest.raises(AttributeError):
        _ = ours.Event().stpe
