"""Weights alone, with a factory for the model."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from audioloss_cli.probe.errors import UnreadableError, UsageError
from audioloss_cli.probe.model_io.checkpoint.loaded import Mismatch
from tests.probe import tiny
from tests.probe.model_io.checkpoint.models import FACTORY, assert_same, linear, load

LINEAR = "tests.probe.model_io.checkpoint.models:linear"


@pytest.mark.parametrize(
    "nest",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model_state_dict": state, "loss": torch.tensor(1.0)},
        lambda state: {"model": {"module": state}},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"state_dict": {f"model._orig_mod.{name}": tensor for name, tensor in state.items()}},
    ],
)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt"])
def test_round_trip(tmp_path: Path, nest: Any, suffix: str) -> None:
    module = tiny.model()
    torch.save(nest(module.state_dict()), tmp_path / f"w{suffix}")
    loaded = load(tmp_path / f"w{suffix}", model=FACTORY)
    assert_same(loaded, module)
    assert (loaded.kind, loaded.layout_name) == (f"weights for {FACTORY}", "higgs_audio_v2")
    assert loaded.config["codebook_size"] == tiny.V


def test_safetensors_and_arguments(tmp_path: Path) -> None:
    save_file({"0.weight": torch.ones(5, 3), "1.weight": torch.ones(2, 5)}, tmp_path / "w.safetensors")
    loaded = load(tmp_path / "w.safetensors", model=LINEAR, model_arguments={"rows": 5})
    assert loaded.missing == ["0.bias", "1.bias"]
    assert loaded.config == {}
    assert any("there is no configuration" in note for note in loaded.notes)
    assert [name for name, _ in loaded.tensors()] == ["0.weight", "1.weight"]


def test_directory(tmp_path: Path) -> None:
    module = tiny.model()
    module.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mine", "auto_map": {"AutoModel": "x.Y"}}))
    loaded = load(tmp_path, model=FACTORY)
    assert_same(loaded, module)
    assert loaded.config["model_type"] == "mine"


def test_tied_tensors(tmp_path: Path) -> None:
    torch.save({"1.weight": torch.ones(3, 3)}, tmp_path / "w.pt")
    assert load(tmp_path / "w.pt", model="tests.probe.model_io.checkpoint.models:tied").missing == []


def test_what_does_not_fit(tmp_path: Path) -> None:
    state = {**linear().state_dict(), "0.weight": torch.ones(9, 3), "2.weight": torch.ones(1)}
    torch.save(state, tmp_path / "w.pt")
    loaded = load(tmp_path / "w.pt", model=LINEAR)
    assert loaded.mismatched == [Mismatch("0.weight", (9, 3), (4, 3))]
    assert (loaded.missing, loaded.unexpected) == ([], ["2.weight"])


def test_dtype(tmp_path: Path) -> None:
    state = {name: tensor.bfloat16() for name, tensor in linear().state_dict().items()}
    torch.save(state, tmp_path / "w.pt")
    assert load(tmp_path / "w.pt", model=LINEAR).module[0].weight.dtype == torch.bfloat16
    assert load(tmp_path / "w.pt", model=LINEAR, dtype=torch.float64).module[0].weight.dtype == torch.float64
    torch.save({**state, "0.bias": state["0.bias"].float()}, tmp_path / "mixed.pt")
    mixed = load(tmp_path / "mixed.pt", model=LINEAR)
    assert mixed.module[0].weight.dtype == torch.float32
    assert any("several dtypes" in note for note in mixed.notes)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("", "holds weights but not the model they belong to; pass --model package.module:factory"),
        ("tests.probe.model_io.checkpoint.models:number", "gave a int, it must give a torch.nn.Module"),
        ("tests.probe.model_io.checkpoint.models:on_meta", "on the meta device"),
        ("tests.probe.model_io.checkpoint.models:nothing", "has no attribute 'nothing'"),
    ],
)
def test_factories(tmp_path: Path, model: str, told: str) -> None:
    torch.save(linear().state_dict(), tmp_path / "w.pt")
    with pytest.raises(UsageError, match=told):
        load(tmp_path / "w.pt", model=model)


def test_weights_of_something_else(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(UnreadableError, match=r"no tensor fits the model .* names such as conv\.weight"):
        load(tmp_path / "w.pt", model=LINEAR)
