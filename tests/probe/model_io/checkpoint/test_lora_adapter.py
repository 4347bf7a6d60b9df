"""Adapters that PEFT saved, on each kind of base."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint import load
from tests.probe import tiny
from tests.probe.model_io.checkpoint import original
from tests.probe.model_io.checkpoint.models import CPU, FACTORY, assert_same
from tests.probe.model_io.checkpoint.models import load as load_model


def adapted(module: Any, **more: Any) -> Any:
    """A LoRA with other than its initial weights; those would compute nothing."""
    settings: dict[str, Any] = {"r": 2, "target_modules": ["q_proj", "v_proj"], **more}
    with warnings.catch_warnings(action="ignore"):  # PEFT asks transformers for what it has renamed
        wrapped = get_peft_model(module, LoraConfig(**settings))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in wrapped.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) / 10)
    return wrapped.eval()


def saved(tmp_path: Path, wrapped: Any, base: str, name: str = "adapter") -> Path:
    wrapped.save_pretrained(tmp_path / name, save_embedding_layers=False)
    edit(tmp_path / name, base_model_name_or_path=base)
    return tmp_path / name


def edit(directory: Path, **more: Any) -> None:
    where = directory / "adapter_config.json"
    where.write_text(json.dumps({**json.loads(where.read_text()), **more}))


def edit_weights(directory: Path, change: Any) -> None:
    where = directory / "adapter_model.safetensors"
    save_file(change(dict(load_file(where))), where)


@pytest.mark.parametrize("where", ["absolute", "beside", "here"])
@pytest.mark.parametrize("more", [{}, {"modules_to_save": ["audio_lm_head"], "task_type": "CAUSAL_LM"}])
def test_round_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, more: dict[str, Any]) -> None:
    tiny.model().save_pretrained(tmp_path / "base")
    wrapped = adapted(tiny.model(), **more)
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, wrapped, {"absolute": str(tmp_path / "base"), "beside": "../base", "here": "base"}[where])
    loaded = load_model(path)
    assert_same(loaded, wrapped)
    assert loaded.kind == "LoRA adapter on a transformers directory (HiggsAudioV2ForConditionalGeneration)"
    assert loaded.layout_name == "higgs_audio_v2"
    trainable = {name for name, parameter in loaded.module.named_parameters() if parameter.requires_grad}
    assert trainable == {name for name, parameter in wrapped.named_parameters() if parameter.requires_grad}


def test_nested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.model().save_pretrained(tmp_path / "base")
    wrapped = adapted(tiny.model())
    saved(tmp_path / "checkpoint-9", wrapped, str(tmp_path / "base"), "lora_adapters")
    monkeypatch.setattr("socket.socket.connect", None)  # whoever asks the network fails
    assert_same(load_model(tmp_path / "checkpoint-9"), wrapped)


def test_adapter_of_the_original_layout(tmp_path: Path) -> None:
    original.save(tiny.model(), tmp_path / "base")
    wrapped = adapted(tiny.model(), modules_to_save=["audio_lm_head"])
    path = saved(tmp_path, wrapped, "../base")
    front = "base_model.model."
    edit_weights(
        path,
        lambda state: {front + original.name_of(name.removeprefix(front)): state[name] for name in state},
    )
    edit(path, modules_to_save=["audio_decoder_proj.audio_lm_head"])
    loaded = load_model(path)
    assert_same(loaded, wrapped)
    assert loaded.layout_name == "higgs_audio"


def test_base_from_a_factory(tmp_path: Path) -> None:
    wrapped = adapted(tiny.model(99))
    path = saved(tmp_path, wrapped, "someone/elsewhere")
    loaded = load_model(path, model=FACTORY)
    assert_same(loaded, wrapped)
    assert loaded.layout_name == "higgs_audio_v2"


def test_what_the_adapter_lacks(tmp_path: Path) -> None:
    tiny.model().save_pretrained(tmp_path / "base")
    path = saved(tmp_path, adapted(tiny.model(), modules_to_save=["audio_lm_head"]), "../base")
    head = "base_model.model.audio_lm_head.weight"
    edit_weights(path, lambda state: {name: state[name] for name in state if name != head} | {"x": torch.ones(1)})
    loaded = load_model(path)
    assert (loaded.missing, loaded.unexpected) == ([head], ["x"])


def test_rank_that_differs(tmp_path: Path) -> None:
    tiny.model().save_pretrained(tmp_path / "base")
    path = saved(tmp_path, adapted(tiny.model()), "../base")
    edit(path, r=4)
    loaded = load_model(path)
    assert len(loaded.mismatched) == 8
    assert loaded.missing == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"base_model_name_or_path": "bosonai/higgs"}, "is an adapter for bosonai/higgs, which is not here"),
        ({"base_model_name_or_path": None}, "is an adapter for a base it does not name"),
        ({"base_model_name_or_path": "."}, "is an adapter for ., which is not here"),
        ({"peft_type": "PREFIX_TUNING"}, "peft_type 'PREFIX_TUNING' is not LORA"),
        ({"target_modules": ["nowhere"]}, "does not fit its base"),
    ],
)
def test_refused_settings(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    tiny.model().save_pretrained(tmp_path / "base")
    path = saved(tmp_path, adapted(tiny.model()), "../base")
    edit(path, **settings)
    with pytest.raises(UnreadableError) as caught:
        load_model(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_imports_of_the_config_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil_core.py").write_text("raise SystemExit(9)")
    monkeypatch.syspath_prepend(str(tmp_path))
    tiny.model().save_pretrained(tmp_path / "base")
    wrapped = adapted(tiny.model())
    path = saved(tmp_path, wrapped, "../base")
    edit(path, megatron_config={"x": 1}, megatron_core="evil_core", auto_mapping={"parent_library": "evil_core"})
    assert_same(load_model(path), wrapped)


def test_no_weights(tmp_path: Path) -> None:
    path = saved(tmp_path, adapted(tiny.model()), ".")
    (path / "adapter_model.safetensors").unlink()
    with pytest.raises(UnreadableError, match=r"no adapter_model\.safetensors or adapter_model\.bin"):
        load_model(path)


def test_no_peft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.model().save_pretrained(tmp_path / "base")
    path = saved(tmp_path, adapted(tiny.model()), "../base")
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(EnvironmentalError, match=r"needs the package 'peft': pip install (-e )?'.*\[probe\]'"):
        load.load_checkpoint(path, device=CPU)


def test_a_base_that_leads_back(tmp_path: Path) -> None:
    saved(tmp_path, adapted(tiny.model()), "..", "lora_adapters")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UnreadableError, match=r"is an adapter for \.\., which is not here"):
        load_model(tmp_path)


def test_weights_beside_come_first(tmp_path: Path) -> None:
    module = tiny.model()
    module.save_pretrained(tmp_path)
    shutil.copytree(saved(tmp_path / "other", adapted(tiny.model()), "."), tmp_path / "lora_adapters")
    assert_same(load_model(tmp_path), module)
