"""Tiny random models and batches of the other families: 4 codebooks of a few ids."""

from typing import Any

import torch
from torch import Tensor, nn

from tests.probe.newer import transformers_with

K = 4
CSM_IDS, MOSHI_IDS = 40, 16
TEXT_IDS = 64

_MIMI = {
    "model_type": "mimi",
    "hidden_size": 16,
    "num_filters": 2,
    "num_residual_layers": 1,
    "upsampling_ratios": [2, 2],
    "codebook_size": MOSHI_IDS,
    "codebook_dim": 8,
    "num_quantizers": K,
    "num_semantic_quantizers": 1,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 16,
    "vector_quantization_hidden_dimension": 8,
    "upsample_groups": 16,
}
_SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def csm_config() -> Any:
    depth = {"num_codebooks": K, "backbone_hidden_size": 16, "vocab_size": CSM_IDS, "max_position_embeddings": K + 1}
    return transformers_with("CsmConfig")(
        num_codebooks=K,
        vocab_size=CSM_IDS,
        text_vocab_size=TEXT_IDS,
        intermediate_size=32,
        num_key_value_heads=2,
        codebook_pad_token_id=CSM_IDS - 1,
        pad_token_id=0,
        bos_token_id=1,
        audio_token_id=50,
        audio_eos_token_id=51,
        max_position_embeddings=128,
        depth_decoder_config={**_SMALL, **depth, "intermediate_size": 32, "num_key_value_heads": 2},
        codec_config=dict(_MIMI),
        **_SMALL,
    )


def csm_model(seed: int = 0) -> Any:
    """With loud heads: as initialised, they give every code the same chance, and any alignment would do."""
    torch.manual_seed(seed)
    model = transformers_with("CsmForConditionalGeneration")(csm_config()).eval()
    with torch.no_grad():
        for head in (model.lm_head.weight, model.depth_decoder.codebooks_head.weight):
            head.mul_(10)
    return model


def csm_batch(seed: int = 1, *, backbone_only: bool = False) -> dict[str, Tensor]:
    """Two samples, the first labelled from frame 1 on, the second from frame 4 to 17 of 20."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(1, CSM_IDS - 1, (2, 20, K), generator=generator)
    labels = codes.clone()
    labels[0, 0] = labels[1, :4] = labels[1, 18:] = -100
    if backbone_only:
        labels[:, ::3, 1:] = -100
    mask = torch.ones(2, 20, dtype=torch.long)
    mask[1, 18:] = 0
    return {"input_ids": codes, "attention_mask": mask, "labels": labels}


def moshi_config() -> Any:
    return transformers_with("MoshiConfig")(
        vocab_size=TEXT_IDS,
        audio_vocab_size=MOSHI_IDS,
        max_position_embeddings=64,
        ffn_dim=32,
        num_codebooks=K,
        sliding_window=64,
        audio_encoder_config=dict(_MIMI),
        depth_decoder_config={**_SMALL, "ffn_dim": 32, "max_position_embeddings": K + 1},
        **_SMALL,
    )


def moshi_model(seed: int = 0) -> Any:
    """With a quiet depth decoder: as initialised, its loss is in the hundreds."""
    torch.manual_seed(seed)
    model = transformers_with("MoshiForConditionalGeneration")(moshi_config()).eval()
    with torch.no_grad():
        for parameter in model.depth_decoder.parameters():
            parameter.mul_(0.3)
    return model


def moshi_batch(seed: int = 1, frames: int = 24) -> dict[str, Tensor]:
    """Labels are the next codes, shifted as the model wants them; the last 4 of the second sample are not to count."""
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(3, TEXT_IDS, (2, frames), generator=generator)
    codes = torch.randint(0, MOSHI_IDS, (2, K, frames), generator=generator)
    labels = torch.cat([codes[..., 1:], torch.full_like(codes[..., :1], MOSHI_IDS)], dim=-1)
    labels[1, :, -4:] = MOSHI_IDS
    return {
        "input_ids": text,
        "text_labels": text.clone(),
        "moshi_audio_codes": codes,
        "user_audio_codes": torch.randint(0, MOSHI_IDS, (2, K, frames), generator=generator),
        "audio_labels": labels,
    }


class Toy(nn.Module):
    """Reads codes [B, T, K] and gives logits [B, T, K, V]: those of codebook k see only its own codes."""

    def __init__(self, ids: int = 11, books: int = 3) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(ids, ids) for _ in range(books))

    def forward(self, tokens: Tensor, targets: Tensor | None = None) -> dict[str, Any]:
        logits = torch.stack([table(tokens[..., k]) for k, table in enumerate(self.tables)], dim=2)
        if targets is None:
            return {"out": {"logits": logits}}
        loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 2), targets[:, 1:].flatten())
        return {"out": {"logits": logits}, "loss": loss}


def toy_batch(seed: int = 1, ids: int = 11, books: int = 3) -> dict[str, Tensor]:
    codes = torch.randint(0, ids, (2, 7, books), generator=torch.Generator().manual_seed(seed))
    return {"tokens": codes, "targets": codes.clone(), "unknown": torch.zeros(1)}
