"""The original layout computes what transformers' layout of the same weights computes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig

from audioloss_cli.probe.errors import UnreadableError
from tests.probe import tiny
from tests.probe.model_io.checkpoint import original
from tests.probe.model_io.checkpoint.models import assert_same, load, logits


@pytest.mark.parametrize("use_text_head", [False, True])
def test_round_trip(tmp_path: Path, use_text_head: bool) -> None:
    module = tiny.model(use_text_head=use_text_head)
    loaded = load(original.save(module, tmp_path))
    assert_same(loaded, module)
    assert (loaded.layout_name, loaded.kind) == ("higgs_audio", "Higgs Audio directory (original layout)")
    assert loaded.config["audio_out_token_idx"] == tiny.AUDIO
    assert loaded.config["use_delay_pattern"] is True
    assert loaded.module.config.codebook_size == tiny.V
    assert loaded.module.config.rope_parameters == module.config.rope_parameters


@pytest.mark.parametrize("prefix", ["model.", "base_model.model.", "module.model."])
def test_wrapper_prefixes(tmp_path: Path, prefix: str) -> None:
    module = tiny.model(use_text_head=True)
    state = {prefix + name: tensor for name, tensor in original.state_of(module).items()}
    assert_same(load(original.save(module, tmp_path, state)), module)


def test_halves(tmp_path: Path) -> None:
    module = tiny.model(use_text_head=True)
    state = original.halved(original.state_of(module), "embed_tokens.weight", "embedding")
    for head in ("audio", "text"):
        state = original.halved(state, f"audio_decoder_proj.{head}_lm_head.weight", "linear")
    loaded = load(original.save(module, tmp_path, state))
    assert_same(loaded, module)
    assert "3 partly frozen tensors are put together from their halves" in loaded.notes


def test_what_is_left_out(tmp_path: Path) -> None:
    module = tiny.model()
    more = (
        "audio_tower.conv1.weight",
        "audio_encoder_proj.linear.weight",
        "audio_codebook_weights",
        "rotary_emb.inv_freq",
    )
    state = original.state_of(module) | {name: torch.ones(2) for name in more}
    loaded = load(original.save(module, tmp_path, state))
    assert_same(loaded, module)
    assert any("audio encoder (2 tensors) is not loaded" in note for note in loaded.notes)


@pytest.mark.parametrize("adapter", ["dual_ffn", "stack"])
def test_layers_without_an_audio_path(tmp_path: Path, adapter: str) -> None:
    module = tiny.model()
    layer = module.model.layers[1]
    layer.audio_mlp.load_state_dict(layer.mlp.state_dict())
    if adapter == "stack":
        module.model.layers[0].audio_mlp.load_state_dict(module.model.layers[0].mlp.state_dict())
    gone = "layers." if adapter == "stack" else "layers.1."
    state = {
        name: tensor
        for name, tensor in original.state_of(module).items()
        if not (name.startswith(gone) and ".audio_" in name)
    }
    dual = None if adapter == "stack" else [0]
    loaded = load(original.save(module, tmp_path, state, audio_adapter_type=adapter, audio_dual_ffn_layers=dual))
    assert_same(loaded, module)
    assert any("have no audio path of their own" in note for note in loaded.notes)


def test_what_the_config_does_not_say(tmp_path: Path) -> None:
    module = tiny.model(rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, rms_norm_eps=1e-6)
    original.save(module, tmp_path)
    where = tmp_path / "config.json"
    config = json.loads(where.read_text())
    for name in ("rope_theta", "rope_scaling", "rms_norm_eps", "model_type"):
        del config["text_config"][name]
    for name in ("use_delay_pattern", "audio_stream_bos_id", "torch_dtype"):
        del config[name]
    where.write_text(json.dumps(config))
    loaded = load(tmp_path, dtype=torch.float32)
    assert loaded.config["use_delay_pattern"] is False, "the default of the original's configuration"
    assert torch.equal(logits(loaded.module), logits(module))
    assert load(tmp_path).module.audio_lm_head.weight.dtype == torch.bfloat16, "as text_config says"
    assert LlamaConfig().rms_norm_eps == 1e-6


def test_missing_head(tmp_path: Path) -> None:
    module = tiny.model()
    state = original.state_of(module)
    del state["audio_decoder_proj.audio_lm_head.weight"]
    loaded = load(original.save(module, tmp_path, state | {"layers.9.mlp.up_proj.weight": torch.ones(1)}))
    assert loaded.missing == ["audio_lm_head.weight"]
    assert loaded.unexpected == ["layers.9.mlp.up_proj.weight"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"audio_decoder_proj_num_layers": 2}, "audio_decoder_proj_num_layers 2"),
        ({"use_audio_out_self_attention": True}, "use_audio_out_self_attention True"),
        ({"audio_dual_ffn_layers": [0]}, "leave layers out"),
        ({"audio_ffn_intermediate_size": 48}, "audio_ffn_intermediate_size 48 where intermediate_size is 64"),
        ({"text_config": {"model_type": "qwen2"}}, "text_config.model_type 'qwen2'"),
    ],
)
def test_what_transformers_cannot_compute(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    original.save(tiny.model(), tmp_path, **settings)
    with pytest.raises(UnreadableError, match="has no counterpart in transformers; pass --model") as caught:
        load(tmp_path)
    assert told in str(caught.value)
