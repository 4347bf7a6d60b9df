"""Which tensors of a training's file are the model's: trainers wrap them in dicts beside optimizers and counters."""

from collections.abc import Iterator, Mapping
from typing import Any

from audioloss_cli.checkpoints.stored import StoredFile, StoredTensor

#: Keys that trainers put the weights under, the likeliest first.
_NESTED = ("state_dict", "model_state_dict", "model", "module")
_OTHERS = (
    "optim",
    "lr_",
    "sched",
    "rng",
    "random",
    "scaler",
    "grad_scaler",
    "callbacks",
    "loops",
    "sampler",
    "dataloader",
)
_DEEPEST = 4  # dicts that trainers wrap weights in; one that holds itself must not be followed for ever
_LONGEST_NAME = 1000  # characters of one; whoever looks at names does so with patterns
_MOST_KEYS = 50  # from the outermost dict to a tensor


def model_tensors(stored: StoredFile) -> dict[str, StoredTensor]:
    """Return the tensors of the model by the names that it has for them, without what trainers put in front."""
    found = stored.value
    if not isinstance(found, Mapping):
        return stored.tensors
    for _ in range(_DEEPEST):
        inner = next((key for key in _NESTED if _has_tensors(found.get(key), _DEEPEST)), None)
        if inner is None:
            break
        found = found[inner]
    return dict(_flat(found, (), set()))


def model_name(path: tuple[str, ...]) -> str:
    """Return the name of a tensor whose path is known key by key; empty for those of optimizers and the like."""
    if len(path) > 1 and path[0] in _NESTED:
        return ".".join(path[1:])
    return "" if path and is_other(path[0]) else ".".join(path)


def _has_tensors(found: Any, depth: int) -> bool:
    """Tell whether it is a dict of tensors, or of dicts with tensors under the usual keys."""
    return isinstance(found, Mapping) and (
        any(isinstance(value, StoredTensor) for value in found.values())
        or (depth > 0 and any(_has_tensors(found.get(key), depth - 1) for key in _NESTED))
    )


def _flat(found: Mapping[Any, Any], keys: tuple[str, ...], seen: set[int]) -> Iterator[tuple[str, StoredTensor]]:
    """Yield tensors of dicts in dicts by dotted names, of each dict once."""
    seen.add(id(found))
    for key, value in found.items():
        path = (*keys, str(key))
        if isinstance(value, StoredTensor):
            yield ".".join(path)[:_LONGEST_NAME], value
        elif isinstance(value, Mapping) and id(value) not in seen and not is_other(path[0]) and len(path) < _MOST_KEYS:
            yield from _flat(value, path, seen)


def is_other(key: str) -> bool:
    """Tell by the key that trainers put it under that something is none of the model's."""
    return key.lower().startswith(_OTHERS)
