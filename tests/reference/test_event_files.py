"""Every writer's scalars, equal to the reference reader's."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboardX import SummaryWriter as TensorboardXWriter
from torch.utils.tensorboard import SummaryWriter as TorchWriter

from audioloss_cli import scan
from tests.event_files import bits, read, reference, scalar_event, triples, version_event, write
from tests.readers.tensorboard import test_reading as forms
from tests.readers.tensorboard import test_tensors as tensors
from tests.wobble import wobbly

NUMBERS = [0.0, -0.0, 1.5, -2.25, 1e-45, 3.4e38, math.nan, math.inf, -math.inf]
# The reference reader raises TypeError for them without TensorFlow.
READABLE = [kind for kind in forms.DT if kind != "bfloat16"]


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


@pytest.mark.parametrize("kind", READABLE)
def test_tf2_tensor_content_of_every_type(kind, tmp_path):
    assert_equals_reference(write(tmp_path / "x.tfevents", forms.content_events(kind)))


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, number in forms.VALUES if kind in READABLE])
def test_tensor_values_of_every_type(kind, number, tmp_path):
    assert_equals_reference(write(tmp_path / "x.tfevents", [forms.value_event(kind, number)]))


@pytest.mark.parametrize(("dtype", "layout", "number"), tensors.UNSIGNED)
def test_unsigned_numbers_of_32_and_64_bits(dtype, layout, number, tmp_path):
    assert_equals_reference(write(tmp_path / "x.tfevents", [tensors.unsigned(dtype, layout, number)]))


def test_scalars_that_torch_put_into_directories_are_judged_by_tag_and_key(tmp_path):
    with TorchWriter(str(tmp_path)) as writer:
        for step, value in enumerate([*wobbly(6.9, 20), *wobbly(0.001, 20)]):
            writer.add_scalars("loss", {"audio": value, "text": 0.001}, step)
    report = scan(tmp_path)
    audited = {run.run.rpartition("/")[2]: [(item.tag, item.role) for item in run.series] for run in report.runs}
    assert audited["loss_audio"] == [("loss", "audio")]
    assert audited["loss_text"] == []
    assert [incident.first_step for incident in report.incidents] == [20]
