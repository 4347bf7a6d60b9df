"""Names of tensors: wrappers put prefixes before a model's own names."""

from collections.abc import Callable, Collection, Iterable, Mapping

from torch import Tensor

from audioloss_cli.checkpoints.names import PREFIXES
from audioloss_cli.probe.model_io.checkpoint.loaded import Mismatch

_MOST_WRAPPERS = 20


def same(name: str) -> str:
    """The name as it is."""
    return name


def resolve(
    names: Iterable[str], wanted: Collection[str], rename: Callable[[str], str] = same
) -> tuple[dict[str, str], list[str]]:
    """For each name of a checkpoint the model's name, and the names that the model has no place for.

    Prefixes are taken off one by one until the rest, renamed, is one of the model's names. Of two that come to the same
    one the shorter counts, as it carries fewer wrappers.
    """
    taken: dict[str, str] = {}
    left: list[str] = []
    for name in sorted(names, key=len):
        found = _resolved(name, wanted, rename)
        if found is None or found in taken:
            left.append(name)
        else:
            taken[found] = name
    return {name: found for found, name in taken.items()}, sorted(left)


def fitting(
    tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, Tensor], list[Mismatch]]:
    """Those whose shape is the model's, and those whose is not."""
    wrong = [
        Mismatch(name, tuple(tensor.shape), shapes[name])
        for name, tensor in tensors.items()
        if tuple(tensor.shape) != shapes[name]
    ]
    out = {item.name for item in wrong}
    return {name: tensor for name, tensor in tensors.items() if name not in out}, wrong


def _resolved(name: str, wanted: Collection[str], rename: Callable[[str], str]) -> str | None:
    for _ in range(_MOST_WRAPPERS):
        if rename(name) in wanted:
            return rename(name)
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
        if prefix is None:
            return None
        name = name.removeprefix(prefix)
    return None
