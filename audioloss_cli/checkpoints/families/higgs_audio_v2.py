"""Higgs Audio v2 in transformers (models/higgs_audio_v2, 5.23): ``HiggsAudioV2ForConditionalGeneration``.

``codebook_size`` counts BOS and EOS: 1026 for codebooks of 1024 codes. Every layer has an audio FFN.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected, _facts, _higgs

NAME = "Higgs Audio v2 (transformers)"
GROUPS = _higgs.GROUPS


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """By model type, or by the table of codes inside of another module, which CSM has elsewhere."""
    names = list(names)
    return _facts.is_said(config, ("higgs_audio_v2",), r"higgs.?audio.*(?:hf|transformers)") or _facts.any_named(
        r"^(?!.*\bbackbone_model\.).*\bembed_audio_tokens\.|\blayers\.\d+\.audio_mlp\b", names
    )


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Head and table of codes have K x V rows."""
    books, hidden, layers = (
        _facts.axis(config, name) for name in ("num_codebooks", "hidden_size", "num_hidden_layers")
    )
    rows, text = _facts.times(books, _facts.axis(config, "codebook_size")), _facts.axis(config, "vocab_size")
    count = _facts.books(books)
    return [
        Expected("head", "audio_lm_head.weight", (rows, hidden), count),
        Expected("embeddings", "embed_audio_tokens.embed_audio_tokens.weight", (rows, hidden), count),
        Expected("text_embeddings", "embed_tokens.weight", (text, hidden)),
        Expected("text_head", "text_lm_head.weight", (text, hidden), optional=True),
        *_higgs.audio_layers(_facts.parts(layers), hidden, _facts.axis(config, "intermediate_size")),
    ]
