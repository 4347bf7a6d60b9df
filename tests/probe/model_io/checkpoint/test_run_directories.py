"""What trainers leave in the directory of a run: wrapped weights, PEFT's names, arguments, state."""

import json
import types
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint import pickles
from audioloss_cli.probe.model_io.checkpoint.settings import removes_unused_columns, trained_steps
from tests.probe import tiny
from tests.probe.model_io.checkpoint import original
from tests.probe.model_io.checkpoint.models import assert_same, load, logits
from tests.probe.model_io.checkpoint.test_lora_adapter import adapted


def wrapped_run(place: Path) -> tuple[Path, Any]:
    """A run's directory with config.json, and a checkpoint of the wrapped model, which has none."""
    module = tiny.model(use_text_head=True)
    original.save(module, place)
    checkpoint = place / "checkpoint-300"
    checkpoint.mkdir()
    state = {f"model.{name}": tensor.clone() for name, tensor in original.state_of(module).items()}
    save_file(state, checkpoint / "model.safetensors")
    return checkpoint, module


def test_the_configuration_above_a_checkpoint(tmp_path: Path) -> None:
    checkpoint, module = wrapped_run(tmp_path)
    loaded = load(checkpoint)
    assert_same(loaded, module)
    assert f"the configuration is {tmp_path / 'config.json'}" in loaded.notes
    assert_same(load(checkpoint / "model.safetensors"), module)


def test_the_configuration_that_is_named(tmp_path: Path) -> None:
    checkpoint, module = wrapped_run(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "config.json").rename(elsewhere / "config.json")
    with pytest.raises(UnreadableError, match=r"no config\.json; name it with --config-json"):
        load(checkpoint)
    assert_same(load(checkpoint, config_json=str(elsewhere)), module)
    assert_same(load(checkpoint, config_json=str(elsewhere / "config.json")), module)
    with pytest.raises(UnreadableError, match=r"--config-json .*nowhere: no such file"):
        load(checkpoint, config_json=str(tmp_path / "nowhere"))


def test_a_directory_of_another_name_takes_no_configuration_from_above(tmp_path: Path) -> None:
    checkpoint, _ = wrapped_run(tmp_path)
    checkpoint.rename(tmp_path / "other-model")
    with pytest.raises(UnreadableError, match=r"it holds weights but no config\.json"):
        load(tmp_path / "other-model")


def peft_run(place: Path, **more: Any) -> Any:
    """Weights as ``trainer.save_model()`` writes those of a model inside PEFT; the model itself."""
    module = original_like(place)
    wrapped = adapted(module, **more)
    save_file(
        {f"model.{name}": tensor.contiguous().clone() for name, tensor in wrapped.state_dict().items()},
        place / "model.safetensors",
    )
    wrapped.save_pretrained(place / "lora_adapters", save_embedding_layers=False)
    return wrapped


def original_like(place: Path) -> Any:
    module = tiny.model(use_text_head=True)
    module.save_pretrained(place)
    (place / "model.safetensors").unlink()
    return module


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"use_rslora": True, "lora_alpha": 3},
        {"alpha_pattern": {"v_proj": 5}, "rank_pattern": {"v_proj": 3}},
        {"target_modules": ["q_proj", "embed_tokens"]},
        {"modules_to_save": ["audio_lm_head"]},
    ],
    ids=["plain", "rslora", "patterns", "embedding", "modules to save"],
)
def test_adapters_under_the_names_of_peft_are_merged(tmp_path: Path, more: dict[str, Any]) -> None:
    wrapped = peft_run(tmp_path, **more)
    loaded = load(tmp_path)
    assert (loaded.missing, loaded.unexpected, loaded.mismatched) == ([], [], [])
    torch.testing.assert_close(logits(loaded.module), logits(wrapped), atol=1e-4, rtol=1e-4)
    assert any("adapters of PEFT" in note for note in loaded.notes)


def test_a_scale_that_nobody_tells_is_not_guessed(tmp_path: Path) -> None:
    peft_run(tmp_path)
    (tmp_path / "lora_adapters" / "adapter_config.json").unlink()
    with pytest.raises(UnreadableError, match=r"names of PEFT .* tells their scale"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("model.layers.0.self_attn.q_proj.lora_magnitude_vector.default.weight", "more than a plain LoRA"),
        ("model.layers.0.self_attn.q_proj.lora_A.second.weight", "2 adapters of PEFT"),
        ("model.layers.0.self_attn.k_proj.lora_A.default.weight", "half of the LoRA"),
    ],
)
def test_what_is_no_plain_lora_is_refused_by_its_name(tmp_path: Path, name: str, told: str) -> None:
    peft_run(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({**tensors, f"model.base_model.model.{name}": torch.ones(2, 3)}, tmp_path / "model.safetensors")
    with pytest.raises(UnreadableError, match=told):
        load(tmp_path)


def test_an_older_transformers_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original.save(tiny.model(), tmp_path)
    older = types.SimpleNamespace(__version__="4.46.3")
    monkeypatch.setitem(__import__("sys").modules, "transformers", older)
    with pytest.raises(EnvironmentalError, match=r"needs transformers >= .* \(here is 4\.46\.3\).*--model") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_before_torch_2_10_a_pickle_is_read_only_if_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, module = wrapped_run(tmp_path)
    state = load_file(checkpoint / "model.safetensors")
    (checkpoint / "model.safetensors").unlink()
    torch.save(state, checkpoint / "pytorch_model.bin")
    monkeypatch.setattr(pickles.torch, "__version__", "2.6.0+cpu")
    with pytest.raises(UnreadableError, match=r"torch 2\.6\.0\+cpu .* --trust-checkpoint"):
        load(checkpoint)
    assert_same(load(checkpoint, trusted=True), module)
    monkeypatch.setattr(pickles.torch, "__version__", "2.10.1")
    assert_same(load(checkpoint), module)


@pytest.mark.parametrize("removes", [True, False])
def test_what_a_trainer_drops_is_read_from_its_arguments(tmp_path: Path, removes: bool) -> None:
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), remove_unused_columns=removes, use_cpu=True, report_to=[]
    )
    (tmp_path / "checkpoint-5").mkdir()
    torch.save(arguments, tmp_path / "training_args.bin")
    assert removes_unused_columns(tmp_path) is removes
    assert removes_unused_columns(tmp_path / "checkpoint-5") is removes


def test_arguments_that_are_none_say_nothing(tmp_path: Path) -> None:
    assert removes_unused_columns(tmp_path) is None
    for content in (b"", b"PK\x03\x04damaged", b"remove_unused_columns"):
        (tmp_path / "training_args.bin").write_bytes(content)
        assert removes_unused_columns(tmp_path) is None
    torch.save({"remove_unused_columns": 1, "other": True}, tmp_path / "training_args.bin")
    assert removes_unused_columns(tmp_path) is None


def test_how_long_it_trained(tmp_path: Path) -> None:
    assert trained_steps(tmp_path) is None
    for step in (20, 300):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert trained_steps(tmp_path / "checkpoint-20") == 20
    (tmp_path / "checkpoint-300" / "trainer_state.json").write_text(json.dumps({"global_step": 299}))
    assert trained_steps(tmp_path / "checkpoint-300") == 299
    assert trained_steps(tmp_path) == 299
    assert trained_steps(tmp_path / "model.safetensors") == 299
    (tmp_path / "trainer_state.json").write_text("{")
    assert trained_steps(tmp_path) == 299
