"""A language model of text alone, which a probe must not take for an audio model whose inputs were filtered out."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_CAUSAL_LM = "ForCausalLM"
_AUDIO = re.compile(r"audio|codebook|codec|depth|depformer|speech|acoustic|mimi|rvq|\bn_q\b|\bdep_q\b", re.IGNORECASE)


def text_only(config: Mapping[str, Any], parameters: Iterable[str]) -> str:
    """What a model is that neither its configuration nor its weights name audio of; empty if they do, or say nothing.

    Args:
        config: what ``config.json`` says.
        parameters: names of the model's parameters.
    """
    architectures = config.get("architectures")
    names = [name for name in architectures if isinstance(name, str)] if isinstance(architectures, list) else []
    if not any(name.endswith(_CAUSAL_LM) for name in names):
        return ""
    if any(map(_AUDIO.search, [*names, *_words(config), *parameters])):
        return ""
    return names[0]


def _words(config: Any) -> Iterable[str]:
    """Every key, at any depth, and the model types."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            yield str(key)
            if key == "model_type":
                yield str(value)
            yield from _words(value)
