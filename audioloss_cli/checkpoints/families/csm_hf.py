"""CSM by the names of SesameAILabs/csm (models.py), which thomasgauthier/csm-hf keeps.

``audio_embeddings`` has K x V rows; ``codebook0_head`` is the backbone's, ``audio_head`` [K - 1, dim, V] the decoder's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "CSM (Sesame, csm-hf)"
GROUPS: Mapping[str, str] = {
    "head": r"\b(?:codebook0_head|audio_head)\b",
    "embeddings": r"\baudio_embeddings\b",
    "ffn": r"\bdecoder\.layers\.\d+\.mlp\b",
    "text_embeddings": r"\btext_embeddings\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By settings that transformers' CSM does not have, or by the head of codebook 0."""
    has_own = {"audio_num_codebooks", "audio_vocab_size"} <= config.keys()
    is_own = config.get("model_type", "csm") == "csm" and has_own
    return is_own or _facts.any_named(r"\bcodebook0_head\b", names)


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Widths are known where the configurations of the two decoders lie in it."""
    books, size = _facts.axis(config, "audio_num_codebooks"), _facts.axis(config, "audio_vocab_size")
    hidden = _facts.axis(_facts.part_of(config, "backbone_config"), "hidden_size")
    inner = _facts.axis(_facts.part_of(config, "decoder_config"), "hidden_size")
    others = _facts.plus(books, -1)
    return [
        Expected("head", "codebook0_head.weight", (size, hidden), 1),
        Expected("head", "audio_head", (others, inner, size), _facts.books(others), 1),
        Expected("embeddings", "audio_embeddings.weight", (_facts.times(books, size), hidden), _facts.books(books)),
        Expected("text_embeddings", "text_embeddings.weight", (_facts.axis(config, "text_vocab_size"), hidden)),
    ]
