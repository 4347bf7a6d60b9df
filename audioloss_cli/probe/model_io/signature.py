"""Which keys a model's forward takes, as a trainer that filters its batches sees it.

Hugging Face's Trainer keeps the batch columns that ``inspect.signature(model.forward)`` names, looking through a PEFT
wrapper but through no other (``Trainer._set_signature_columns_if_needed``, transformers/trainer.py); ``**kwargs`` names
nothing. What it drops is gone without a word.
"""

import inspect
from collections.abc import Mapping
from typing import Any

# Trainer adds these to what the signature names.
_ALWAYS_KEPT = frozenset({"label", "label_ids"})
_SIZES = ("n_q", "dep_q", "card")  # of kyutai's LMModel, whose config.json has them under the same names


def unwrapped(model: Any) -> Any:
    """The user's model inside PEFT's, DDP's, FSDP's and torch.compile's wrappers."""
    seen = set[int]()
    while id(model) not in seen:
        seen.add(id(model))
        inner = _inside(model)
        model = model if inner is None else inner
    return model


def _inside(model: Any) -> Any:
    if hasattr(model, "get_base_model") and hasattr(model, "peft_config"):
        return model.get_base_model()
    if type(model).__name__ in ("DistributedDataParallel", "FullyShardedDataParallel", "DataParallel"):
        return model.module
    return getattr(model, "_orig_mod", None)


def described(model: Any) -> dict[str, Any]:
    """What a model without a configuration says of itself in attributes, as kyutai's does; empty if nothing."""
    said = {name: getattr(model, name, None) for name in _SIZES}
    return said if all(type(value) is int for value in said.values()) else {}


def accepted(model: Any) -> frozenset[str] | None:
    """The keyword arguments that a call of the model takes; None if it takes any."""
    parameters = _parameters(model)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    return _named(parameters)


def kept_by_trainer(model: Any) -> frozenset[str]:
    """The batch keys that a trainer which removes unused columns would leave."""
    base = model.get_base_model() if hasattr(model, "peft_config") and hasattr(model, "get_base_model") else model
    return _named(_parameters(base)) | _ALWAYS_KEPT


def _named(parameters: Mapping[str, inspect.Parameter]) -> frozenset[str]:
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(name for name, parameter in parameters.items() if parameter.kind in by_name)


def _parameters(model: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(getattr(model, "forward", model)).parameters
    except (TypeError, ValueError):  # a compiled or built-in callable
        return {"kwargs": inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)}
