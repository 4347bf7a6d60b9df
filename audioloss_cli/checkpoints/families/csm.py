"""CSM in transformers (models/csm, 5.23): ``CsmForConditionalGeneration``.

The backbone has a head for codebook 0, the depth decoder one for each other codebook; both share one table of codes,
of which a file holds one copy where ``tie_codebooks_embeddings`` is set.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "CSM (transformers)"
GROUPS: Mapping[str, str] = {
    "head": r"\b(?:lm_head|codebooks_head)\b",
    "embeddings": r"\bembed_audio_tokens\b|\bdepth_decoder\.model\.embed_tokens\b",
    "ffn": r"\bdepth_decoder\.model\.layers\.\d+\.mlp\b",
    "text_embeddings": r"\bembed_text_tokens\b",
    "encoders": r"\bcodec_model\b",
}
_TABLES = ("backbone_model.embed_tokens.embed_audio_tokens.weight", "depth_decoder.model.embed_tokens.weight")


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, which csm-hf has as well, or by the head of the depth decoder."""
    own = _facts.is_said(config, ("csm",), r"(?:^|[/_-])csm(?:[/_-]|$)") and "audio_num_codebooks" not in config
    return own or _facts.any_named(r"\bdepth_decoder\.codebooks_head\b|\bbackbone_model\.embed_tokens\.", names)


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """The table of codes has K x V rows, the depth decoder's head [K - 1, hidden, V]."""
    depth = _facts.part_of(config, "depth_decoder_config")
    books, size, hidden = (_facts.axis(config, name) for name in ("num_codebooks", "vocab_size", "hidden_size"))
    rows, count = _facts.times(books, size), _facts.books(books)
    inner, others = _facts.axis(depth, "hidden_size"), _facts.plus(_facts.axis(depth, "num_codebooks") or books, -1)
    depth_size = _facts.axis(depth, "vocab_size") or size
    is_tied = config.get("tie_codebooks_embeddings", True) is not False
    first, second = _TABLES
    return [
        Expected("head", "lm_head.weight", (size, hidden), 1),
        Expected("head", "depth_decoder.codebooks_head.weight", (others, inner, depth_size), _facts.books(others), 1),
        Expected("embeddings", first, (rows, hidden), count, tied=second if is_tied else ""),
        Expected("embeddings", second, (rows, hidden), count, tied=first if is_tied else ""),
        Expected("text_embeddings", "embed_text_tokens.weight", (_facts.axis(config, "text_vocab_size"), hidden)),
    ]
