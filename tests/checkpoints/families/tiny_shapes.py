"""Configurations of every family, tiny, and the shapes that its own code makes of them, without that code.

The shapes of models that transformers has are held to it in tests/checkpoints/written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.stored import Checkpoint, StoredTensor

K, V, H, TEXT = 4, 12, 8, 30
Shapes = dict[str, tuple[int, ...]]

_LAYER = {
    "self_attn.q_proj.weight": (H, H),
    "self_attn.o_proj.weight": (H, H),
    "mlp.gate_proj.weight": (16, H),
    "mlp.up_proj.weight": (16, H),
    "mlp.down_proj.weight": (H, 16),
    "input_layernorm.weight": (H,),
    "post_attention_layernorm.weight": (H,),
}
_AUDIO = {f"audio_{name}": shape for name, shape in _LAYER.items() if "self_attn" not in name}


def layers(front: str, count: int, parts: Mapping[str, tuple[int, ...]] = _LAYER) -> Shapes:
    return {f"{front}layers.{layer}.{name}": shape for layer in range(count) for name, shape in parts.items()}


def books(front: str, count: int, *shape: int) -> Shapes:
    return {f"{front}.{book}.weight": shape for book in range(count)}


_DELAYED = {
    **books("decoder.model.decoder.embed_tokens", K, V + 1, H),
    **books("decoder.lm_heads", K, V, H),
    **layers("decoder.model.decoder.", 2),
    "decoder.model.decoder.layer_norm.weight": (H,),
    "text_encoder.shared.weight": (TEXT, H),
    "audio_encoder.decoder.layers.0.conv.weight": (3, 2, 1),
}
_DECODER = {"num_codebooks": K, "vocab_size": V, "hidden_size": H}

CONFIGS: dict[str, dict[str, Any]] = {
    "higgs_audio": {
        "model_type": "higgs_audio",
        "text_config": {"vocab_size": TEXT, "hidden_size": H, "intermediate_size": 16, "num_hidden_layers": 3},
        "audio_adapter_type": "dual_ffn_fast_forward",
        "audio_dual_ffn_layers": [0, 2],
        "audio_num_codebooks": K,
        "audio_codebook_size": V - 2,
    },
    "higgs_audio_v2": {
        "model_type": "higgs_audio_v2",
        "vocab_size": TEXT,
        "hidden_size": H,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_codebooks": K,
        "codebook_size": V,
    },
    "csm": {
        "model_type": "csm",
        "num_codebooks": K,
        "vocab_size": V,
        "text_vocab_size": TEXT,
        "hidden_size": H,
        "depth_decoder_config": {"hidden_size": 6, "num_codebooks": K, "vocab_size": V},
        "tie_codebooks_embeddings": True,
    },
    "csm_hf": {
        "model_type": "csm",
        "audio_num_codebooks": K,
        "audio_vocab_size": V,
        "text_vocab_size": TEXT,
        "backbone_config": {"hidden_size": H},
        "decoder_config": {"hidden_size": 6},
    },
    "moshi": {
        "model_type": "moshi",
        "vocab_size": TEXT,
        "audio_vocab_size": V,
        "hidden_size": H,
        "num_codebooks": K,
        "depth_decoder_config": {"hidden_size": 6},
    },
    "moshi_kyutai": {"n_q": 2 * K, "dep_q": K, "card": V, "text_card": TEXT, "dim": H, "depformer_dim": 6},
    "musicgen": {"model_type": "musicgen", "decoder": _DECODER},
    "parler_tts": {"model_type": "parler_tts", "decoder": _DECODER, "vocab_size": TEXT},
    "dia": {
        "model_type": "dia",
        "encoder_config": {"vocab_size": TEXT, "hidden_size": H},
        "decoder_config": {"num_channels": K, "vocab_size": V, "hidden_size": H},
    },
}
SHAPES: dict[str, Shapes] = {
    "higgs_audio": {
        "audio_decoder_proj.audio_lm_head.weight": (K * V, H),
        "audio_decoder_proj.text_lm_head.weight": (TEXT, H),
        "audio_codebook_embeddings.weight": (K * V, H),
        "embed_tokens.weight": (TEXT, H),
        **layers("", 3),
        **{name: shape for name, shape in layers("", 3, _AUDIO).items() if "layers.1." not in name},
        "norm.weight": (H,),
        "audio_tower.layers.0.fc1.weight": (3, H),
    },
    "higgs_audio_v2": {
        "audio_lm_head.weight": (K * V, H),
        "model.embed_audio_tokens.embed_audio_tokens.weight": (K * V, H),
        "model.embed_tokens.weight": (TEXT, H),
        **layers("model.", 2, {**_LAYER, **_AUDIO}),
        "model.norm.weight": (H,),
    },
    "csm": {
        "lm_head.weight": (V, H),
        "embed_text_tokens.weight": (TEXT, H),
        "backbone_model.embed_tokens.embed_audio_tokens.weight": (K * V, H),
        **layers("backbone_model.", 2),
        **layers("depth_decoder.model.", 1),
        "depth_decoder.codebooks_head.weight": (K - 1, 6, V),
        "codec_model.decoder.layers.0.weight": (3, 2),
    },
    "csm_hf": {
        "text_embeddings.weight": (TEXT, H),
        "audio_embeddings.weight": (K * V, H),
        "projection.weight": (6, H),
        "codebook0_head.weight": (V, H),
        "audio_head": (K - 1, 6, V),
        **layers("backbone.", 2),
        **layers("decoder.", 1),
    },
    "moshi": {
        **books("embed_tokens", 2 * K, V + 1, H),
        "decoder.model.embed_tokens.weight": (TEXT + 1, H),
        "decoder.lm_head.weight": (TEXT, H),
        **layers("decoder.model.", 2),
        "depth_decoder.text_embed_tokens.weight": (TEXT + 1, 6),
        **books("depth_decoder.embed_tokens", K - 1, V + 1, 6),
        "depth_decoder.layers.0.mlp.fc1.weight": (K, 12, 6),
        "depth_decoder.lm_heads.weight": (K, V, 6),
    },
    "moshi_kyutai": {
        **books("emb", 2 * K, V + 1, H),
        "text_emb.weight": (TEXT + 1, H),
        "text_linear.weight": (TEXT, H),
        "transformer.layers.0.self_attn.in_proj_weight": (3 * H, H),
        **books("depformer_in", K, 6, H),
        **books("depformer_emb", K - 1, V + 1, 6),
        "depformer_text_emb.weight": (TEXT + 1, 6),
        "depformer.layers.0.gating.0.linear_in.weight": (12, 6),
        **books("linears", K, V, 6),
    },
    "musicgen": _DELAYED,
    "parler_tts": {**_DELAYED, "embed_prompts.weight": (TEXT, H)},
    "dia": {
        "model.encoder.embedding.weight": (TEXT, H),
        **layers("model.encoder.", 1),
        "model.decoder.embeddings.embed.weight": (K * V, H),
        **layers("model.decoder.", 1),
        "logits_dense.weight": (K * V, H),
    },
}
#: family -> a name of its head, and of its table of codes.
HEADS = {
    "higgs_audio": ("audio_decoder_proj.audio_lm_head.weight", "audio_codebook_embeddings.weight"),
    "higgs_audio_v2": ("audio_lm_head.weight", "model.embed_audio_tokens.embed_audio_tokens.weight"),
    "csm": ("depth_decoder.codebooks_head.weight", "backbone_model.embed_tokens.embed_audio_tokens.weight"),
    "csm_hf": ("audio_head", "audio_embeddings.weight"),
    "moshi": ("depth_decoder.lm_heads.weight", "embed_tokens.2.weight"),
    "moshi_kyutai": ("linears.2.weight", "emb.2.weight"),
    "musicgen": ("decoder.lm_heads.2.weight", "decoder.model.decoder.embed_tokens.2.weight"),
    "parler_tts": ("decoder.lm_heads.2.weight", "decoder.model.decoder.embed_tokens.2.weight"),
    "dia": ("logits_dense.weight", "model.decoder.embeddings.embed.weight"),
}
FAMILIES = sorted(CONFIGS)


def checkpoint(family: str, shapes: Shapes | None = None, front: str = "", **more: Any) -> Checkpoint:
    """A checkpoint of a family, with a prefix before every name."""
    shapes = SHAPES[family] if shapes is None else shapes
    file = Path("model.safetensors")
    tensors = {front + name: StoredTensor(front + name, "BF16", shape, file, 0) for name, shape in shapes.items()}
    return Checkpoint(**{"path": Path("base"), "kind": "file", "tensors": tensors, "config": CONFIGS[family], **more})
