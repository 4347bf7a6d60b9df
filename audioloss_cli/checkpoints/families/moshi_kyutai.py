"""Moshi of kyutai-labs/moshi (moshi/models/lm.py): ``LMModel``, as moshi-finetune trains it.

Tables of codes have one id more than there are codes; the depformer has none for the last codebook.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts

NAME = "Moshi (kyutai)"
GROUPS: Mapping[str, str] = {
    "head": r"\blinears\b",
    "embeddings": r"\b(?:depformer_)?emb\b",
    "ffn": r"\bdepformer\.layers\.\d+\.(?:gating|linear[12])\b",
    "text_head": r"\btext_linear\b",
    "text_embeddings": r"\b(?:depformer_)?text_emb\b",
    "encoders": r"\bcondition_provider\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By what its config.json has, which names no model type, or by what stands around the depformer."""
    return {"n_q", "dep_q", "card"} <= config.keys() or _facts.any_named(r"\bdepformer_(?:in|emb|text_emb)\b", names)


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """``n_q`` codebooks are heard, ``dep_q`` are spoken."""
    heard, spoken, size = (_facts.axis(config, name) for name in ("n_q", "dep_q", "card"))
    hidden, inner = _facts.axis(config, "dim"), _facts.axis(config, "depformer_dim")
    rows, text = _facts.plus(size, 1), _facts.axis(config, "text_card")
    is_low_rank = bool(config.get("depformer_low_rank_embeddings"))
    return [
        *(Expected("head", f"linears.{book}.weight", (size, inner), 1, book) for book in _facts.parts(spoken)),
        *(
            Expected("embeddings", f"emb.{book}.weight", (rows, hidden), 1, book % max(_facts.books(spoken), 1))
            for book in _facts.parts(heard)
        ),
        *(
            Expected("embeddings", f"depformer_emb.{book}.weight", (rows, None if is_low_rank else inner), 1, book)
            for book in _facts.parts(spoken, -1)
        ),
        Expected("text_embeddings", "text_emb.weight", (_facts.plus(text, 1), hidden), optional=True),
    ]
