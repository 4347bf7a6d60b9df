"""MusicGen in transformers (models/musicgen, 5.24): ``MusicgenForConditionalGeneration`` and its melody model.

The decoder has a head and a table for each codebook; tables have one id more, the padding.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "MusicGen (transformers)"
GROUPS: Mapping[str, str] = {
    "head": r"\blm_heads\b",
    "embeddings": r"\bdecoder\.embed_tokens\.\d+\.",
    "encoders": r"\b(?:text_encoder|audio_encoder|enc_to_dec_proj|audio_enc_to_dec_proj)\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, or by names that Parler-TTS has as well, without its table for prompts."""
    names = list(names)
    return _facts.is_said(config, ("musicgen", "musicgen_melody"), r"musicgen") or (
        _facts.any_named(r"\bdecoder\.lm_heads\.\d", names) and not _facts.any_named(r"\bembed_prompts\b", names)
    )


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """All of the decoder's."""
    decoder = _facts.part_of(config, "decoder")
    books, size, hidden = (_facts.axis(decoder, name) for name in ("num_codebooks", "vocab_size", "hidden_size"))
    rows = _facts.plus(size, 1)
    return [
        part
        for book in _facts.parts(books)
        for part in (
            Expected("head", f"decoder.lm_heads.{book}.weight", (size, hidden), 1, book),
            Expected("embeddings", f"decoder.model.decoder.embed_tokens.{book}.weight", (rows, hidden), 1, book),
        )
    ]
