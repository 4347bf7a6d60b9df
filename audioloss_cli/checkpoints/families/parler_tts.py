"""Parler-TTS (huggingface/parler-tts, parler_tts/modeling_parler_tts.py): ``ParlerTTSForConditionalGeneration``.

A decoder as MusicGen's, and a table for the words that are spoken. ``use_fused_lm_heads`` makes all heads one tensor.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "Parler-TTS"
GROUPS: Mapping[str, str] = {
    "head": r"\blm_heads\b",
    "embeddings": r"\bdecoder\.embed_tokens\.\d+\.",
    "text_embeddings": r"\bembed_prompts?\b",
    "encoders": r"\b(?:text_encoder|audio_encoder|enc_to_dec_proj)\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, or by heads of codebooks beside a table for prompts."""
    names = list(names)
    return _facts.is_said(config, ("parler_tts",), r"parler") or (
        _facts.any_named(r"\blm_heads\b", names) and _facts.any_named(r"\bembed_prompts?\b", names)
    )


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """All of the decoder's, and the table for prompts."""
    decoder = _facts.part_of(config, "decoder")
    books, size, hidden = (_facts.axis(decoder, name) for name in ("num_codebooks", "vocab_size", "hidden_size"))
    rows, prompts = _facts.plus(size, 1), _facts.axis(config, "vocab_size")
    tables = [
        Expected("embeddings", f"decoder.model.decoder.embed_tokens.{book}.weight", (rows, hidden), 1, book)
        for book in _facts.parts(books)
    ]
    if decoder.get("use_fused_lm_heads"):
        fused = (_facts.times(books, size), hidden)
        heads = [Expected("head", "decoder.lm_heads.weight", fused, _facts.books(books))]
    else:
        numbers = _facts.parts(books)
        heads = [Expected("head", f"decoder.lm_heads.{book}.weight", (size, hidden), 1, book) for book in numbers]
    return [*heads, *tables, Expected("text_embeddings", "embed_prompts.weight", (prompts, hidden), optional=True)]
