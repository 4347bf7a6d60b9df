"""Models of which each rank holds a part: what one rank does to its own tensors alone would be wrong for the others."""

from typing import Any

from audioloss_cli.training.response.alert_context import ActionError

_WRAPPERS = ("FullyShardedDataParallel", "DeepSpeedEngine")
_OF_ZERO_3 = "ds_id"  # an attribute that DeepSpeed gives to parameters of which the rank may hold nothing


def is_sharded(model: Any) -> bool:
    """Whether one rank alone can neither run it nor write or read its weights: FSDP, also of parts of it, and ZeRO."""
    if any(type(each).__name__ in _WRAPPERS for each in model.modules()):
        return True
    return any(type(each).__name__ == "DTensor" or hasattr(each, _OF_ZERO_3) for each in model.parameters())


def refuse_sharded(model: Any, remedy: str) -> None:
    """Before weights are written or read rank by rank.

    Raises:
        ActionError: the model is sharded.
    """
    if is_sharded(model):
        raise ActionError(f"the model is sharded over the ranks, of which none has whole weights: {remedy}")
