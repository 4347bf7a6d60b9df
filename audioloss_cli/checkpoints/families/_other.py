"""Any other model, by names of tensors that speak of audio codes; no plugin, for every other family comes first."""

from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Expected
from audioloss_cli.checkpoints.families._facts import any_named

NAME = "not known; audio by the names of tensors"
_WORD = r"(?:audio|speech|codec|codebooks?|acoustic)"
GROUPS: Mapping[str, str] = {
    "head": rf"(?:^|[._]){_WORD}\d*_?(?:lm_|output_)?heads?\b",
    "embeddings": rf"(?:^|\.)(?:{_WORD}(?:_token|_code|_codebook)?s?_embed\w*|embed_{_WORD}\w*)\b",
    "ffn": r"\baudio_(?:mlp|ffn)\b",
}


def serves(config: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether there is an audio head."""
    del config
    return any_named(GROUPS["head"], names)


def expected(config: Mapping[str, Any]) -> list[Expected]:
    """Nothing: no setting is known."""
    del config
    return []
