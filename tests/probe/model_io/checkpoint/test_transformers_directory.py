"""Directories that transformers wrote, whole, in shards, by its Trainer, and damaged."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.model_io.checkpoint.loaded import Mismatch
from tests.probe import tiny
from tests.probe.model_io.checkpoint.models import assert_same, load, logits


def edit_config(directory: Path, **more: Any) -> None:
    where = directory / "config.json"
    where.write_text(json.dumps({**json.loads(where.read_text()), **more}))


def edit_weights(directory: Path, edit: Any) -> None:
    where = directory / "model.safetensors"
    save_file(edit(dict(load_file(where))), where)


def saved(directory: Path, module: Any = None, **more: Any) -> Path:
    (module or tiny.model()).save_pretrained(directory, **more)
    return directory


@pytest.mark.parametrize("use_text_head", [False, True])
def test_round_trip(tmp_path: Path, use_text_head: bool) -> None:
    module = tiny.model(use_text_head=use_text_head)
    loaded = load(saved(tmp_path, module))
    assert_same(loaded, module)
    assert (loaded.module.text_lm_head is not None) == use_text_head
    assert loaded.layout_name == "higgs_audio_v2"
    assert loaded.kind == "transformers directory (HiggsAudioV2ForConditionalGeneration)"
    assert loaded.config["codebook_size"] == tiny.V
    assert loaded.notes == ["the weights are float32, as config.json says"]
    assert dict(loaded.tensors()).keys() == module.state_dict().keys()


def test_trainer_checkpoint(tmp_path: Path) -> None:
    module = tiny.model()
    directory = saved(tmp_path / "checkpoint-500", module)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
        (directory / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    (directory / "trainer_state.json").write_text("{}")
    assert_same(load(directory), module)


def test_run_directory_names_its_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-500").mkdir()
    with pytest.raises(UnreadableError, match="it holds checkpoint-500; name one of them"):
        load(tmp_path)


def test_shards(tmp_path: Path) -> None:
    module = tiny.model()
    saved(tmp_path, module, max_shard_size="200KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    assert_same(load(tmp_path), module)


def test_pytorch_bin(tmp_path: Path) -> None:
    module = tiny.model()
    saved(tmp_path, module)
    (tmp_path / "model.safetensors").unlink()
    torch.save(module.state_dict(), tmp_path / "pytorch_model.bin")
    assert_same(load(tmp_path), module)


def test_wrapper_prefixes(tmp_path: Path) -> None:
    module = tiny.model()
    saved(tmp_path, module)
    edit_weights(tmp_path, lambda state: {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()})
    assert_same(load(tmp_path), module)


def test_dtype(tmp_path: Path) -> None:
    saved(tmp_path, tiny.model().to(torch.bfloat16))
    said = load(tmp_path)
    assert said.module.audio_lm_head.weight.dtype == torch.bfloat16
    assert said.notes == ["the weights are bfloat16, as config.json says"]
    asked = load(tmp_path, dtype=torch.float32)
    assert {tensor.dtype for _, tensor in asked.tensors()} == {torch.float32}
    assert asked.notes == ["the weights are float32, as asked for"]


def test_missing_and_unexpected(tmp_path: Path) -> None:
    saved(tmp_path)

    def edit(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: state[name] for name in state if name != "audio_lm_head.weight"} | {"extra.weight": torch.ones(2)}

    edit_weights(tmp_path, edit)
    first, second = load(tmp_path), load(tmp_path)
    assert (first.missing, first.unexpected, first.mismatched) == (["audio_lm_head.weight"], ["extra.weight"], [])
    assert "audio_lm_head.weight" not in dict(first.tensors())
    assert torch.equal(logits(first.module), logits(second.module)), "what is missing is initialised with a fixed seed"


def test_codebook_size_of_the_default_config(tmp_path: Path) -> None:
    saved(tmp_path)
    edit_config(tmp_path, codebook_size=1024)
    loaded = load(tmp_path)
    assert Mismatch("audio_lm_head.weight", (8208, 32), (8192, 32)) in loaded.mismatched
    assert loaded.missing == []
    assert "8 codebooks of 1024 ids, the weights hold 1026 ids for each" in " ".join(loaded.notes)


def test_another_family(tmp_path: Path) -> None:
    config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)
    module = LlamaForCausalLM(config).eval()
    loaded = load(saved(tmp_path, module))
    assert type(loaded.module) is LlamaForCausalLM
    assert loaded.layout_name == ""
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in loaded.tensors())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"auto_map": {"AutoModel": "evil.Model"}}, "names code of its own (auto_map), which is never run"),
        ({"architectures": ["Unheard"], "model_type": "unheard"}, "has no model for model_type 'unheard'"),
        ({"architectures": ["GenerationConfig"]}, "has no model for"),
        ({"quantization_config": {"quant_method": "hqq"}}, "the weights are quantised"),
        ({"num_attention_heads": 5}, "cannot be built: "),
        ({"vocab_size": "many"}, "cannot be built: "),
    ],
)
def test_refused_settings(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    saved(tmp_path)
    edit_config(tmp_path, **settings)
    with pytest.raises(UnreadableError) as caught:
        load(tmp_path)
    assert told in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_config_that_is_no_object(tmp_path: Path) -> None:
    saved(tmp_path)
    for text, told in (("[]", "must hold an object"), ("{", "is no JSON")):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UnreadableError, match=told):
            load(tmp_path)


def test_weights_of_something_else(tmp_path: Path) -> None:
    saved(tmp_path)
    edit_weights(tmp_path, lambda _: {"conv.weight": torch.ones(2)})
    with pytest.raises(UnreadableError, match=r"no tensor fits Higgs.*names such as conv\.weight"):
        load(tmp_path)


def test_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saved(tmp_path)
    edit_config(tmp_path, codebook_size=1024)
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    capfd.readouterr()
    load(tmp_path)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda(tmp_path: Path) -> None:
    loaded = load(saved(tmp_path), device=torch.device("cuda"))
    assert {tensor.device.type for _, tensor in loaded.tensors()} == {"cuda"}
