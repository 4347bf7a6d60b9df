"""A tiny Higgs as boson-ai/higgs-audio lays it out: its names, its config.json."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.probe import tiny

_NAMES = {
    "model.embed_audio_tokens.embed_audio_tokens.": "audio_codebook_embeddings.",
    "audio_lm_head.": "audio_decoder_proj.audio_lm_head.",
    "text_lm_head.": "audio_decoder_proj.text_lm_head.",
    "model.": "",
}


def name_of(name: str) -> str:
    front = next(front for front in _NAMES if name.startswith(front))
    return _NAMES[front] + name.removeprefix(front)


def state_of(module: nn.Module) -> dict[str, Tensor]:
    return {name_of(name): tensor for name, tensor in module.state_dict().items()}


def config_of(module: Any, **more: Any) -> dict[str, Any]:
    ours = module.config.to_dict()
    same = (
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "rms_norm_eps",
    )
    same += ("num_key_value_heads", "head_dim", "max_position_embeddings", "bos_token_id", "eos_token_id")
    rope = dict(ours["rope_parameters"])
    text = {"model_type": "llama", "rope_theta": rope.pop("rope_theta"), "rope_scaling": rope}
    return {
        "architectures": ["HiggsAudioModel"],
        "model_type": "higgs_audio",
        "text_config": text | {name: ours[name] for name in same} | {"torch_dtype": "bfloat16"},
        "audio_encoder_config": {"d_model": 16, "model_type": "higgs_audio_encoder"},
        "audio_adapter_type": "dual_ffn_fast_forward",
        "audio_dual_ffn_layers": list(range(ours["num_hidden_layers"])),
        "audio_ffn_hidden_size": ours["hidden_size"],
        "audio_ffn_intermediate_size": ours["intermediate_size"],
        "audio_num_codebooks": tiny.K,
        "audio_codebook_size": tiny.V - 2,
        "audio_stream_bos_id": tiny.BOS,
        "audio_stream_eos_id": tiny.EOS,
        "audio_in_token_idx": 116,
        "audio_out_token_idx": tiny.AUDIO,
        "audio_out_bos_token_id": tiny.AUDIO_BOS,
        "audio_eos_token_id": tiny.AUDIO_EOS,
        "pad_token_id": 0,
        "use_delay_pattern": True,
        "torch_dtype": "float32",
        **more,
    }


def save(module: Any, directory: Path, state: dict[str, Tensor] | None = None, **more: Any) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    state = state_of(module) if state is None else state
    save_file(
        {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}, directory / "model.safetensors"
    )
    (directory / "config.json").write_text(json.dumps(config_of(module, **more)))
    return directory


def halved(state: dict[str, Tensor], name: str, kind: str) -> dict[str, Tensor]:
    """A tensor in the halves of PartiallyFrozenEmbedding or PartiallyFrozenLinear."""
    module, tensor = name.removesuffix(".weight"), state[name]
    rest = {key: value for key, value in state.items() if key != name}
    frozen, trainable = tensor[:-3], torch.clone(tensor[-3:])
    return {**rest, f"{module}.{kind}_frozen.weight": frozen, f"{module}.{kind}_trainable.weight": trainable}
