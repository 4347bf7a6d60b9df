"""Dia in transformers (models/dia, 5.24): ``DiaForConditionalGeneration``.

Head and table of codes hold all channels, K x V rows; the encoder reads the text.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "Dia (transformers)"
GROUPS: Mapping[str, str] = {
    "head": r"\blogits_dense\b",
    "embeddings": r"\bdecoder\.embeddings\.embed\b",
    "text_embeddings": r"\bencoder\.embedding\b",
    "encoders": r"(?:^|\.)encoder\.(?:layers|norm)\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, or by the head beside the table of codes."""
    names = list(names)
    return _facts.is_said(config, ("dia",), r"(?:^|[/_-])dia(?:[/_-]|$)") or (
        _facts.any_named(GROUPS["head"], names) and _facts.any_named(GROUPS["embeddings"], names)
    )


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Channels are codebooks."""
    encoder, decoder = _facts.part_of(config, "encoder_config"), _facts.part_of(config, "decoder_config")
    books, size, hidden = (_facts.axis(decoder, name) for name in ("num_channels", "vocab_size", "hidden_size"))
    rows, count = _facts.times(books, size), _facts.books(books)
    text = (_facts.axis(encoder, "vocab_size"), _facts.axis(encoder, "hidden_size"))
    return [
        Expected("head", "logits_dense.weight", (rows, hidden), count),
        Expected("embeddings", "decoder.embeddings.embed.weight", (rows, hidden), count),
        Expected("text_embeddings", "encoder.embedding.weight", text),
    ]
