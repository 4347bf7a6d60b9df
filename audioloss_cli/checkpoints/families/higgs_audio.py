"""Higgs Audio in its original layout (boson-ai/higgs-audio, boson_multimodal/model/higgs_audio).

Each codebook has two ids more than ``audio_codebook_size``, BOS and EOS. ``audio_dual_ffn_layers`` says which layers
have an audio FFN, unless ``audio_adapter_type`` is ``stack``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Axis, Expected, _facts, _higgs

NAME = "Higgs Audio (original)"
GROUPS = _higgs.GROUPS
_MOST_LAYERS = 1000


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, or by names that transformers does not have."""
    return _facts.is_said(config, ("higgs_audio",), r"higgs.?audio(?!.*(?:hf|transformers))") or _facts.any_named(
        r"\baudio_decoder_proj\.|\baudio_codebook_embeddings\b", names
    )


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Head and table of codes have K x (V + 2) rows."""
    text = _facts.part_of(config, "text_config")
    books, hidden = _facts.axis(config, "audio_num_codebooks"), _facts.axis(text, "hidden_size")
    rows = _rows(books, _facts.axis(config, "audio_codebook_size"))
    count, vocabulary = _facts.books(books), _facts.axis(text, "vocab_size")
    own_hidden = _facts.axis(config, "audio_ffn_hidden_size") or hidden
    inner = _facts.axis(config, "audio_ffn_intermediate_size") or _facts.axis(text, "intermediate_size")
    return [
        Expected("head", "audio_decoder_proj.audio_lm_head.weight", (rows, hidden), count),
        Expected("embeddings", "audio_codebook_embeddings.weight", (rows, hidden), count),
        Expected("text_embeddings", "embed_tokens.weight", (vocabulary, hidden), optional=True),
        Expected("text_head", "audio_decoder_proj.text_lm_head.weight", (vocabulary, hidden), optional=True),
        *_higgs.audio_layers(_dual_layers(config), own_hidden, inner),
    ]


def _rows(books: Axis | None, size: Axis | None) -> Axis | None:
    if books is None or size is None:
        return None
    return Axis(books.length * (size.length + 2), f"{books.words} x ({size.words} + 2)")


def _dual_layers(config: Mapping[str, Any]) -> list[int]:
    found = config.get("audio_dual_ffn_layers")
    if config.get("audio_adapter_type") == "stack" or not isinstance(found, list):
        return []
    return sorted({each for each in found[:_MOST_LAYERS] if type(each) is int and 0 <= each < _MOST_LAYERS})
