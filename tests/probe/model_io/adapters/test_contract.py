"""What every adapter promises, whatever its model family."""

import re
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli import registry
from audioloss_cli.probe.model_io.adapter import Adapter
from tests.probe.model_io.adapters.healthy import CHOSEN_BY_NAME, HEALTHY, WITHOUT_CODES, Healthy

ADAPTERS = registry.names("probe.model_io.adapters")
READINGS = ("codes", "labels", "segments", "samples", "placeholders")
KEYS = [(name, key) for name in ADAPTERS if name in HEALTHY for key in HEALTHY[name].batch()]

every = pytest.mark.parametrize("name", ADAPTERS)
of_codes = pytest.mark.parametrize("name", [name for name in ADAPTERS if name not in WITHOUT_CODES])


def healthy(name: str) -> Healthy:
    if name not in HEALTHY:
        pytest.fail(f"no healthy batch of {name!r}: add one to HEALTHY in tests/probe/model_io/adapters/healthy.py")
    return HEALTHY[name]


def made(name: str) -> Adapter:
    case = healthy(name)
    adapter: Adapter = registry.load("probe.model_io.adapters", name).Adapter(case.config, case.options)
    return adapter


@every
def test_an_adapter_serves_its_own_configuration_and_no_other(name: str) -> None:
    serving = [
        other for other, case in HEALTHY.items() if registry.load("probe.model_io.adapters", name).serves(case.config)
    ]
    assert healthy(name)
    assert serving == ([] if name in CHOSEN_BY_NAME else [name])
    assert not registry.load("probe.model_io.adapters", name).serves({})


@every
def test_codes_labels_segments_and_samples_have_the_same_rows(name: str) -> None:
    adapter, batch = made(name), healthy(name).batch()
    codes, labels, segments, samples = (getattr(adapter, reading)(batch) for reading in READINGS[:4])
    assert (codes is None) == (name in WITHOUT_CODES)
    codes = labels if codes is None else codes
    assert codes.shape == labels.shape == (len(codes), adapter.layout.num_codebooks)
    assert len(codes) > 10
    assert codes.dtype == labels.dtype == torch.int64
    for places in (segments, samples):
        assert places.shape == codes.shape[:1]
        assert places.dtype == torch.int64
        assert int(places[0]) == 0
        assert set(places.diff().tolist()) <= {0, 1}
    assert int(samples[-1]) == 1


@every
def test_the_layout_names_what_the_healthy_batch_holds(name: str) -> None:
    layout, batch = made(name).layout, healthy(name).batch()
    for item in layout.fields:
        assert item.name in batch or not item.required, item.name
        if batch.get(item.name) is not None:
            assert batch[item.name].ndim == item.dimensions, item.name
            assert batch[item.name].is_floating_point() == (item.kind == "floating"), item.name


@every
def test_text_and_audio_of_a_healthy_batch_need_each_other(name: str) -> None:
    found = made(name).placeholders(healthy(name).batch())
    assert found is None or found[0] == found[1]


@of_codes
def test_other_codes_come_back_and_leave_the_batch_alone(name: str) -> None:
    adapter, batch = made(name), healthy(name).batch()
    before = {key: value.clone() for key, value in batch.items()}
    codes = adapter.codes(batch)
    changed = adapter.with_codes(batch, codes.flip(0))
    read = adapter.codes(changed)
    assert torch.equal(read, codes.flip(0))
    assert not torch.equal(read, codes)
    same = adapter.with_codes(batch, codes)
    for key, value in before.items():
        assert torch.equal(batch[key], value), f"{key} was changed in place"
        assert torch.equal(same[key], value)
        assert same[key].dtype == value.dtype


@every
def test_a_run_gives_one_row_of_logits_a_row_of_codes(name: str) -> None:
    adapter, case = made(name), healthy(name)
    with torch.no_grad():
        output = adapter.run(case.model(), case.batch())
    codes = adapter.labels(case.batch()) if name in WITHOUT_CODES else adapter.codes(case.batch())
    logits = output.logits if output.rows is None else output.logits[output.rows]
    assert logits.shape == (*codes.shape, adapter.layout.vocab_size)
    assert bool(logits.isfinite().any(-1).all()) or name in WITHOUT_CODES
    assert output.loss is None or output.loss.ndim == 0


@of_codes
def test_what_the_codes_feed_is_not_seen_by_earlier_rows(name: str) -> None:
    adapter, case = made(name), healthy(name)
    codes = adapter.codes(case.batch())
    middle = len(codes) // 4
    changed = codes.clone()
    changed[middle, -1] = (changed[middle, -1] + 1) % 10
    with torch.no_grad():
        model = case.model()
        one, other = (adapter.run(model, adapter.with_codes(case.batch(), each)) for each in (codes, changed))
    gap = (one.logits - other.logits).abs()
    gap = (gap if one.rows is None else gap[one.rows]).flatten(1).amax(1)
    assert float(gap[:middle].max()) == 0 < float(gap[middle:].max())


@every
def test_the_audio_parameters_are_found(name: str) -> None:
    names = [each for each, _ in healthy(name).model().named_parameters()]
    for group, pattern in made(name).layout.parameters.items():
        assert any(re.search(pattern, each) for each in names), group


@every
def test_an_empty_batch_is_none_of_everything(name: str) -> None:
    assert [getattr(made(name), reading)({}) for reading in READINGS] == [None] * len(READINGS)


def read_all(name: str, batch: dict[str, Any]) -> None:
    """Whatever can be read has the dimensions that were promised, and the rows agree."""
    adapter = made(name)
    read = {reading: getattr(adapter, reading)(batch) for reading in READINGS}
    counts = {len(read[reading]) for reading in READINGS[:4] if read[reading] is not None}
    assert len(counts) <= 1, read
    for reading, dimensions in (("codes", 2), ("labels", 2), ("segments", 1), ("samples", 1)):
        assert read[reading] is None or read[reading].ndim == dimensions
    if read["placeholders"] is not None:
        assert len(read["placeholders"][0]) == len(read["placeholders"][1])


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_a_batch_without_a_key_raises_nothing(name: str, key: str) -> None:
    batch = healthy(name).batch()
    del batch[key]
    read_all(name, batch)
    layout = made(name).layout
    for reading, role in (("codes", "codes"), ("labels", "audio-labels")):
        if (field := layout.named(role)) is not None and field.name == key:  # type: ignore[arg-type]
            assert getattr(made(name), reading)(batch) is None


@pytest.mark.parametrize("dimensions", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("name", "key"), KEYS)
def test_a_tensor_of_wrong_dimensions_raises_nothing(name: str, key: str, dimensions: int) -> None:
    batch = healthy(name).batch()
    for wrong in (torch.zeros([2] * dimensions, dtype=torch.long), torch.zeros([0] * dimensions)):
        read_all(name, {**batch, key: wrong})


@pytest.mark.parametrize("value", [None, "text", [1, 2]])
@pytest.mark.parametrize(("name", "key"), KEYS)
def test_what_is_no_tensor_raises_nothing(name: str, key: str, value: object) -> None:
    read_all(name, {**healthy(name).batch(), key: value})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
def test_a_run_on_the_device_gives_what_it_gives_on_the_cpu(name: str) -> None:
    adapter, case = made(name), healthy(name)
    model, batch = deepcopy(case.model()), case.batch()
    there: dict[str, Tensor] = {key: value.cuda() for key, value in batch.items()}
    with torch.no_grad():
        here = adapter.run(model, batch)
        on_device = adapter.run(model.cuda(), there)
    assert on_device.logits.is_cuda
    torch.testing.assert_close(on_device.logits.cpu(), here.logits, atol=1e-4, rtol=1e-3)
    codes = adapter.labels(there)
    assert codes.is_cuda
    for reading in READINGS[2:4]:
        assert torch.equal(getattr(adapter, reading)(there).cpu(), getattr(adapter, reading)(batch))
