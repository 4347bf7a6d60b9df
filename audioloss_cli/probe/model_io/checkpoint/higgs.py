"""The original Higgs Audio (boson-ai/higgs-audio) in terms of transformers' ``HiggsAudioV2ForConditionalGeneration``.

Names and settings: boson_multimodal/model/higgs_audio there, and models/higgs_audio_v2 of transformers 5.23.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import shortened
from audioloss_cli.probe.errors import ProbeError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.configured import check_counts

# What HiggsAudioConfig takes where config.json does not say
DEFAULTS: dict[str, Any] = {
    "audio_adapter_type": "stack",
    "audio_num_codebooks": 12,
    "audio_codebook_size": 1024,
    "audio_stream_bos_id": 1024,
    "audio_stream_eos_id": 1025,
    "audio_in_token_idx": 128015,
    "audio_out_token_idx": 128016,
    "audio_out_bos_token_id": 128013,
    "audio_eos_token_id": 128012,
    "pad_token_id": 128001,
    "use_delay_pattern": False,
    "encode_audio_in_tokens": False,
    "audio_dual_ffn_layers": None,
}
_TOKENS = {
    "num_codebooks": "audio_num_codebooks",
    "audio_token_id": "audio_out_token_idx",
    "audio_bos_token_id": "audio_out_bos_token_id",
    "audio_stream_bos_id": "audio_stream_bos_id",
    "audio_stream_eos_id": "audio_stream_eos_id",
    "pad_token_id": "pad_token_id",
}
_LLAMA = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "hidden_act"),
    *("num_key_value_heads", "head_dim", "rms_norm_eps", "rope_parameters", "max_position_embeddings"),
    *("attention_bias", "attention_dropout", "mlp_bias", "initializer_range", "bos_token_id", "eos_token_id"),
)
_UNMAPPED = ("use_audio_out_embed_projector", "use_audio_out_self_attention", "use_rq_transformer", "audio_embed_avg")
_RENAMES = (
    (re.compile(r"^audio_codebook_embeddings(?=\.|$)"), "model.embed_audio_tokens.embed_audio_tokens"),
    (re.compile(r"^audio_decoder_proj\."), ""),
    (re.compile(r"^(embed_tokens|layers|norm)(?=\.|$)"), r"model.\1"),
)
_LONGEST = 120  # characters of a value in a message
_HALVES = re.compile(r"\.(embedding|linear)_(frozen|trainable)\.")
_ENCODER = re.compile(r"(^|\.)(audio_tower|audio_encoder_proj)\.")
_COMPUTED = re.compile(r"(^|\.)(audio_codebook_weights|rotary_emb\.\w*inv_freq)$")
# What a layer with an audio path of its own has twice, the second time as audio_mlp and so on
_TEXT_PART = re.compile(
    r"(?P<front>model\.layers\.(?P<layer>\d{1,9})\.)(?=(mlp|input_layernorm|post_attention_layernorm)\.)"
)


def renamed(name: str) -> str:
    """The name of a tensor or a module in transformers."""
    for pattern, replacement in _RENAMES:
        name = pattern.sub(replacement, name)
    return name


def settings_of(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Settings of ``HiggsAudioV2Config`` from those of ``HiggsAudioConfig``, with ``DEFAULTS`` filled in.

    Each codebook has two ids more than ``audio_codebook_size``: the beginning and the end of the stream.

    Raises:
        UnreadableError: the model computes something that transformers' does not, or a setting is of the wrong kind.
    """
    check_counts(config, path)
    try:
        return _settings(config, path)
    except (ProbeError, ModuleNotFoundError):
        raise
    except Exception as error:  # the checks of transformers have classes of their own
        told = " ".join(str(error).split())[:200]
        raise UnreadableError(f"{path} is no configuration of a Higgs Audio model: {told}; save it again") from error


def _settings(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    from transformers import LlamaConfig  # noqa: PLC0415  # slow, and needed by this kind alone

    text = dict(config.get("text_config") or {})
    problem = _unmapped(config, text)
    if problem:
        raise UnreadableError(
            f"{path}: {problem} has no counterpart in transformers; pass --model package.module:factory that builds it"
        )
    rope_theta = text.get("rope_theta", 10000.0)
    llama = LlamaConfig.from_dict({**text, "rope_theta": rope_theta}).to_dict()
    return {
        **{name: llama[name] for name in _LLAMA if llama.get(name) is not None},
        **{ours: config[theirs] for ours, theirs in _TOKENS.items()},
        "codebook_size": config["audio_codebook_size"] + 2,
        "tie_word_embeddings": False,
    }


def own_names(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Tensors under the original's plain names: halves put together, what transformers computes or lacks left out."""
    notes = []
    encoder = {name for name in tensors if _ENCODER.search(name)}
    if encoder:
        notes.append(
            f"the audio encoder ({len(encoder)} tensors) is not loaded: audio that is heard, not spoken, is not probed"
        )
    kept = {name: tensor for name, tensor in tensors.items() if name not in encoder and not _COMPUTED.search(name)}
    halves = sorted(name for name in kept if _HALVES.search(name) and "_frozen." in name)
    for frozen in halves:
        trainable = frozen.replace("_frozen.", "_trainable.")
        if trainable in kept:
            kept[_HALVES.sub(".", frozen)] = torch.cat([kept.pop(frozen), kept.pop(trainable)])
    if halves:
        notes.append(f"{len(halves)} partly frozen tensors are put together from their halves")
    return kept, notes


def with_shared_layers(tensors: dict[str, Tensor], config: Mapping[str, Any]) -> list[str]:
    """Give layers without an audio path of their own one that equals the text's, in place: they compute the same.

    Args:
        tensors: by the names of transformers.
        config: the original's.
    """
    count = (config.get("text_config") or {}).get("num_hidden_layers", 32)
    single = set(range(count)) - _dual_layers(config)
    for name, tensor in list(tensors.items()):
        found = _TEXT_PART.match(name)
        if found is not None and int(found["layer"]) in single:
            tensors.setdefault(f"{found['front']}audio_{name[found.end() :]}", tensor.clone())
    return (
        [f"{len(single)} layers have no audio path of their own; that of the text stands in for it"] if single else []
    )


def _dual_layers(config: Mapping[str, Any]) -> set[int]:
    return set() if config["audio_adapter_type"] == "stack" else set(config.get("audio_dual_ffn_layers") or ())


def _unmapped(config: Mapping[str, Any], text: Mapping[str, Any]) -> str:
    layers = text.get("num_hidden_layers", 32)
    if text.get("model_type", "llama") != "llama":
        return f"text_config.model_type {_shown(text['model_type'])}"
    for name in _UNMAPPED:
        if config.get(name):
            return f"{name} {_shown(config[name])}"
    if config.get("audio_decoder_proj_num_layers"):
        return f"audio_decoder_proj_num_layers {_shown(config['audio_decoder_proj_num_layers'])}"
    if config["audio_adapter_type"] == "dual_ffn_fast_forward" and not set(range(layers)) <= _dual_layers(config):
        return "audio_adapter_type 'dual_ffn_fast_forward' with audio_dual_ffn_layers that leave layers out"
    for ours, theirs in (
        ("hidden_size", "audio_ffn_hidden_size"),
        ("intermediate_size", "audio_ffn_intermediate_size"),
    ):
        if _dual_layers(config) and config.get(theirs, text.get(ours)) != text.get(ours):
            return f"{theirs} {_shown(config[theirs])} where {ours} is {_shown(text.get(ours))}"
    return ""


def _shown(value: object) -> str:
    """A value of a configuration as a message holds it, whatever it is."""
    return shortened(repr(value), _LONGEST)
