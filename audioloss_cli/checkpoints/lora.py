"""What the names of PEFT say: halves of a LoRA, their rank, modules that are saved whole."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.names import own
from audioloss_cli.checkpoints.stored import Checkpoint, StoredTensor

_HALF = re.compile(
    r"^(?P<module>.+)\.lora_(?P<kind>embedding_)?(?P<half>[AB])(?:\.(?P<adapter>[^.]+))??(?:\.weight)?$", re.DOTALL
)
_BASE = re.compile(r"\.(?:base_layer|original_module)\.")
# A pattern of a configuration that comes to an end whatever it is searched in: nothing in it is repeated
_HARMLESS = re.compile(r"[\w.^$|\-]+(?:\\[.d][\w.^$|\-]*)*")


class Pair(NamedTuple):
    """Halves of one LoRA.

    Attributes:
        module: that it is added to, without prefixes of wrappers.
        adapter: name of the adapter, where one is in the names.
        down, up: A and B; None for one that is not there.
        is_embedding: whether A is [r, ids] and B [width, r] of a table.
    """

    module: str
    adapter: str
    down: StoredTensor | None
    up: StoredTensor | None
    is_embedding: bool

    @property
    def rank(self) -> int | None:
        """Of the half that is there: rows of A, else columns of B."""
        if self.down is not None:
            return self.down.shape[0] if self.down.shape else None
        return self.up.shape[1] if self.up is not None and len(self.up.shape) > 1 else None


def pairs(tensors: Mapping[str, StoredTensor]) -> list[Pair]:
    """Return every LoRA among tensors, by the names of their modules."""
    halves: dict[tuple[str, str, bool], dict[str, StoredTensor]] = {}
    for name, tensor in tensors.items():
        found = _HALF.match(name) if ".lora_" in name else None
        if found is not None:
            key = own(found["module"]), found["adapter"] or "", bool(found["kind"])
            halves.setdefault(key, {})[found["half"]] = tensor
    return [
        Pair(module, adapter, each.get("A"), each.get("B"), is_embedding)
        for (module, adapter, is_embedding), each in sorted(halves.items())
    ]


def is_adapter(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint is an adapter alone, without the model that it changes."""
    has_base = any(_BASE.search(name) for name in checkpoint.tensors)
    return not has_base and (bool(checkpoint.adapter_config) or any(".lora_" in name for name in checkpoint.tensors))


def saved_whole(config: Mapping[str, Any]) -> list[str]:
    """Return ``modules_to_save`` of adapter_config.json."""
    found = config.get("modules_to_save")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def targets(config: Mapping[str, Any]) -> list[str]:
    """Return ``target_modules``, where it is a list or one name."""
    found = config.get("target_modules")
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]


def asked_rank(module: str, config: Mapping[str, Any]) -> int | None:
    """Return the rank that adapter_config.json gives a module; None if it says none, or by a pattern that is risky."""
    by_pattern = config.get("rank_pattern")
    for pattern, rank in _items(by_pattern):
        if not _HARMLESS.fullmatch(pattern):
            return None
        try:
            if re.search(rf"(?:^|\.)(?:{pattern})$", module):
                return rank if type(rank) is int else None
        except re.error:
            return None
    rank = config.get("r")
    return rank if type(rank) is int and rank > 0 else None


def _items(found: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(found, Mapping):
        yield from ((key, value) for key, value in found.items() if isinstance(key, str))
