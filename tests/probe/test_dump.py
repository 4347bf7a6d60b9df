import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.probe.dump import SCHEMA, describe_batch, write_dump
from audioloss_cli.probe.errors import EnvironmentalError
from tests.probe.tiny import hf_batch, original_batch


def entry(value: Any) -> dict[str, Any]:
    """Described, and through JSON as a bug report is."""
    return json.loads(json.dumps(describe_batch({"x": value}), allow_nan=False))["entries"]["x"]


def test_a_tensor_of_ids() -> None:
    assert entry(torch.tensor([[5, -100], [-100, 7]])) == {
        "type": "Tensor",
        "shape": [2, 2],
        "dtype": "int64",
        "device": "cpu",
        "contiguous": True,
        "bytes": 32,
        "min": -100,
        "max": 7,
        "masked": 2,
        "nan": 0,
        "inf": 0,
        "first": [5, -100, -100, 7],
    }


def test_a_floating_tensor_that_is_not_finite() -> None:
    found = entry(torch.tensor([1.5, math.nan, math.inf, -math.inf, 2.5, -100.0]))
    assert found["first"] == [1.5, "NaN", "Infinity", "-Infinity", 2.5, -100.0]
    assert (found["nan"], found["inf"], found["masked"]) == (1, 2, 1)
    assert (found["min"], found["max"], found["mean"]) == (-100.0, 2.5, -32.0)


@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float64, torch.uint16, torch.int8, torch.uint64]
)
def test_every_dtype(dtype: torch.dtype) -> None:
    found = entry(torch.tensor([1, 2, 3]).to(dtype))
    assert (found["min"], found["max"], found["first"]) == (1, 3, [1, 2, 3])
    assert found["dtype"] == str(dtype).removeprefix("torch.")
    assert found.get("mean", 2) == 2
    assert ("mean" in found) == dtype.is_floating_point


def test_flags() -> None:
    found = entry(torch.tensor([True, False, True]))
    assert (found["true"], found["first"]) == (2, [True, False, True])


@pytest.mark.parametrize("value", [torch.zeros(0, 0, dtype=torch.long), torch.zeros(0), torch.zeros(3, 0).bool()])
def test_nothing_in_it(value: torch.Tensor) -> None:
    found = entry(value)
    assert (found.get("min"), found.get("max"), found["first"], found["bytes"]) == (None, None, [], 0)


def test_nothing_finite_in_it() -> None:
    found = entry(torch.full((2,), math.nan))
    assert (found["min"], found["mean"], found["nan"]) == (None, None, 2)


def test_a_view_is_not_contiguous_and_read_in_order() -> None:
    found = entry(torch.arange(6).view(2, 3).T)
    assert found["contiguous"] is False
    assert found["first"] == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(
    "value", [torch.eye(2).to_sparse(), torch.zeros(2, 2, device="meta"), torch.zeros(2, 2).cfloat()]
)
def test_tensors_without_plain_values(value: torch.Tensor) -> None:
    found = entry(value)
    assert found["shape"] == [2, 2]
    assert "min" not in found


def test_gradients_are_no_hindrance() -> None:
    assert entry(torch.ones(2, requires_grad=True))["mean"] == 1.0


def test_arrays() -> None:
    found = entry(np.array([1.0, np.nan], np.float32))
    assert (found["type"], found["dtype"], found["nan"], found["bytes"]) == ("ndarray", "float32", 1, 8)
    assert entry(np.array(["a"]))["shape"] == [1]
    assert entry(np.zeros(2, ">i4"))["bytes"] == 8


def test_what_is_no_tensor() -> None:
    assert entry(None) == {"type": "NoneType", "value": None}
    assert entry(math.inf) == {"type": "float", "value": "Infinity"}
    assert entry(True) == {"type": "bool", "value": True}
    assert entry("y" * 500) == {"type": "str", "length": 500, "value": "y" * 80}
    assert entry(object()) == {"type": "object"}


def test_dicts_and_lists_are_descended() -> None:
    found = entry({"inner": [torch.zeros(2), "a"]})
    assert found["type"] == "dict"
    assert [item["type"] for item in found["entries"]["inner"]["items"]] == ["Tensor", "str"]


def test_long_and_deep_things_are_cut_and_still_counted() -> None:
    many = [torch.zeros(1) for _ in range(10_000)]
    described = describe_batch({"many": many, "wide": dict.fromkeys(range(10_000), 0), "deep": [[[[[[many[0]]]]]]]})
    assert described["entries"]["many"]["length"] == 10_000
    assert len(described["entries"]["many"]["items"]) == 8
    assert described["total_bytes"] == 40_000
    assert len(json.dumps(described)) < 50_000


def test_a_list_that_holds_itself_ends() -> None:
    loop: list[Any] = [torch.zeros(2)]
    loop.append(loop)
    assert describe_batch({"loop": loop})["total_bytes"] == 8


def test_the_total_is_that_of_all_tensors() -> None:
    batch = original_batch()
    assert describe_batch(batch)["total_bytes"] == sum(value.nbytes for value in batch.values())
    assert list(describe_batch(batch)["entries"]) == list(batch)


@given(st.lists(st.floats(width=32), max_size=20))
def test_statistics_are_those_of_the_finite_values(values: list[float]) -> None:
    found = entry(torch.tensor(values, dtype=torch.float32))
    finite = [value for value in values if math.isfinite(value)]
    assert found["nan"] + found["inf"] == len(values) - len(finite)
    assert (found["min"], found["max"]) == (min(finite, default=None), max(finite, default=None))
    if finite:
        assert found["mean"] == pytest.approx(
            math.fsum(finite) / len(finite), rel=1e-6, abs=1e-6 * max(map(abs, finite))
        )


def test_a_dump_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text("old")
    extra = {
        "versions": {"torch": "2"},
        "loss": math.nan,
        "path": path,
        "schema": "mine",
        "ids": torch.ones(1),
        3: (1,),
    }
    write_dump(path, [hf_batch(), original_batch()], extra)
    found = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert next(iter(found)) == "schema"
    assert found["schema"] == SCHEMA == "audioloss.batch/1"
    assert (found["versions"], found["loss"], found["path"], found["3"]) == ({"torch": "2"}, "NaN", str(path), [1])
    assert found["ids"]["shape"] == [1]
    assert [set(batch["entries"]) for batch in found["batches"]] == [set(hf_batch()), set(original_batch())]


@pytest.mark.parametrize(("name", "why"), [("", "Is a directory"), ("nowhere/dump.json", "No such file or directory")])
def test_a_place_that_cannot_be_written(name: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(EnvironmentalError) as caught:
        write_dump(path, [hf_batch()], {})
    assert str(caught.value) == f"cannot write the batch dump to {path}: {why}; name another file"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int64, torch.bool])
def test_a_tensor_on_the_gpu_reads_as_on_the_cpu(dtype: torch.dtype) -> None:
    value = torch.arange(12).view(3, 4).to(dtype)
    assert entry(value.cuda()) == entry(value) | {"device": "cuda:0"}
