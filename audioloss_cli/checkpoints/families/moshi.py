"""Moshi in transformers (models/moshi, 5.23): ``MoshiForConditionalGeneration``.

The decoder has a table for each codebook of both speakers, with one id more than there are codes; the depth decoder
one for each codebook but the last, and its heads in one tensor [K, V, hidden].
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "Moshi (transformers)"
GROUPS: Mapping[str, str] = {
    "head": r"\bdepth_decoder\.lm_heads\b",
    "embeddings": r"\bembed_tokens\.\d+\.",
    "ffn": r"\bdepth_decoder\.layers\.\d+\.mlp\b",
    "text_head": r"(?<!depth_)decoder\.lm_head\b",
    "text_embeddings": r"\bdecoder\.model\.embed_tokens\.(?!\d)|\btext_embed_tokens\b",
    "encoders": r"\baudio_encoder\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, or by the heads of the depth decoder."""
    return _facts.is_said(config, ("moshi",), r"moshi(?:ko|ka)?.*hf") or _facts.any_named(
        r"\bdepth_decoder\.lm_heads\b", names
    )


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Tables of the other speaker need not be trained, and are there."""
    depth = _facts.part_of(config, "depth_decoder_config")
    size = _facts.axis(config, "audio_vocab_size") or _facts.axis(
        _facts.part_of(config, "audio_encoder_config"), "codebook_size"
    )
    books, hidden, inner = (
        _facts.axis(config, "num_codebooks"),
        _facts.axis(config, "hidden_size"),
        _facts.axis(depth, "hidden_size"),
    )
    rows, text = _facts.plus(size, 1), _facts.plus(_facts.axis(config, "vocab_size"), 1)
    count = _facts.books(books)
    return [
        Expected("head", "depth_decoder.lm_heads.weight", (books, size, inner), count),
        *(
            Expected("embeddings", f"embed_tokens.{book}.weight", (rows, hidden), 1, book % count)
            for book in range(2 * len(_facts.parts(books)))
        ),
        *(
            Expected("embeddings", f"depth_decoder.embed_tokens.{book}.weight", (rows, inner), 1, book)
            for book in _facts.parts(books, -1)
        ),
        Expected("text_embeddings", "decoder.model.embed_tokens.weight", (text, hidden)),
        Expected("text_head", "decoder.lm_head.weight", (_facts.axis(config, "vocab_size"), hidden)),
    ]
