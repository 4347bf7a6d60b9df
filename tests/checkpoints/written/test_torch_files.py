"""Files as torch writes them, in both layouts: every tensor where it lies, nothing foreign, nothing wrong."""

import argparse
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audioloss_cli.checkpoints.formats import read_file
from audioloss_cli.checkpoints.pickles.imports import judge
from audioloss_cli.checkpoints.stored import StoredFile, StoredTensor
from audioloss_cli.checkpoints.zips import checksum_faults

NUMBERS = {
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "U8": "|u1",
    "BF16": "<u2",
    "F8_E4M3": "|u1",
    "U16": "<u2",
    "BOOL": "|b1",
}


def saved(value: Any, path: Path, *, old: bool = False) -> StoredFile:
    torch.save(value, path, _use_new_zipfile_serialization=not old)
    return read_file(path)


def array_of(tensor: StoredTensor) -> np.ndarray:
    kind = np.dtype(NUMBERS[tensor.dtype])
    strides = tensor.strides or np.empty(tensor.shape, kind).strides
    steps = strides if tensor.strides is None else [step * kind.itemsize for step in strides]
    data = np.frombuffer(tensor.file.read_bytes()[tensor.offset :] + bytes(16), np.uint8)
    count = len(data) // kind.itemsize * kind.itemsize
    return np.lib.stride_tricks.as_strided(data[:count].view(kind), tensor.shape, steps)


def bits_of(tensor: torch.Tensor) -> np.ndarray:
    if tensor.dtype in (torch.bfloat16, torch.uint16):
        return tensor.view(torch.int16).numpy().view("<u2")
    return (tensor.view(torch.uint8) if tensor.dtype == torch.float8_e4m3fn else tensor).detach().numpy()


def state() -> dict[str, torch.Tensor]:
    base = torch.randn(4, 6)
    return {
        "plain": base,
        "transposed": base.T,
        "slice": base[1:, 2:4],
        "expanded": torch.ones(1).expand(3, 2),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "bf16": torch.randn(5).to(torch.bfloat16),
        "fp8": torch.randn(5).to(torch.float8_e4m3fn),
        "u16": torch.arange(5).to(torch.uint16),
        "bool": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
    }


@pytest.mark.parametrize("old", [False, True])
def test_every_tensor_has_its_values(old, tmp_path):
    written = state()
    file = saved({"state_dict": written, "step": 3}, tmp_path / "a.pt", old=old)
    assert (file.faults, checksum_faults(file.path)) == ([], [])
    assert set(file.tensors) == {f"state_dict.{name}" for name in written}
    for name, tensor in written.items():
        np.testing.assert_array_equal(array_of(file.tensors[f"state_dict.{name}"]), bits_of(tensor), err_msg=name)
    assert file.tensors["state_dict.plain"].storage == file.tensors["state_dict.transposed"].storage != ""
    assert file.tensors["state_dict.bf16"].storage == ""


@pytest.mark.parametrize("old", [False, True])
def test_a_whole_model_is_read_by_the_names_of_its_state_dict(old, tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    file = saved(model, tmp_path / "model.pt", old=old)
    assert set(file.tensors) == set(model.state_dict())
    assert file.faults == []
    assert {judge(name) for name in file.imports} == {None}


def honest() -> dict[str, Any]:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "optimizer": optimizer.state_dict(),
        "scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1).state_dict(),
        "random": {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.get_rng_state()},
        "generator": {"numpy": np.random.default_rng(0)},
        "arguments": argparse.Namespace(path=Path("a/b"), dtype=torch.bfloat16, device=torch.device("cpu")),
        "numbers": {"a": np.float32(1), "b": np.arange(3), "c": {1, 2}, "d": bytearray(b"x"), "e": torch.Size([1])},
        "sparse": {"a": torch.eye(3).to_sparse()},
    }


KINDS = ("optimizer", "scheduler", "random", "generator", "arguments", "numbers", "sparse")


@pytest.mark.parametrize("what", KINDS)
def test_what_trainers_save_is_quiet(what, tmp_path):
    file = saved(honest()[what], tmp_path / "a.pt")
    assert file.faults == []
    assert {name: judge(name) for name in file.imports if judge(name)} == {}


@pytest.mark.filterwarnings("ignore")
def test_quantised_tensors_are_found_and_their_values_are_not_read(tmp_path):
    file = saved({"a": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, tmp_path / "a.pt")
    assert (file.faults, file.tensors["a"].dtype, file.tensors["a"].nbytes) == ([], "qint8", 0)


def test_arguments_of_the_trainer_are_quiet(tmp_path):
    transformers = pytest.importorskip("transformers")
    file = saved(
        transformers.TrainingArguments(str(tmp_path), report_to=[], use_cpu=True), tmp_path / "training_args.bin"
    )
    assert file.faults == []
    assert {name: judge(name) for name in file.imports if judge(name)} == {}
    assert file.value.name == "transformers.training_args.TrainingArguments"
    assert file.value.attributes()["output_dir"] == str(tmp_path)


def test_tensors_of_plain_pickle_hold_pickles_that_are_told(tmp_path):
    (path := tmp_path / "a.pt").write_bytes(pickle.dumps({"a": torch.ones(2)}))
    file = read_file(path)
    assert file.tensors == {}
    assert ["a pickle in the pickle" in fault.message for fault in file.faults] == [True]


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated
def test_compiled_models_are_told_and_not_followed(tmp_path):
    module = torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2))
    module.save(str(tmp_path / "a.pt"))
    file = read_file(tmp_path / "a.pt")
    assert (file.tensors, file.metadata["kind"]) == ({}, "TorchScript archive")
    assert [fault.code for fault in file.faults] == ["unsafe-pickle"]
