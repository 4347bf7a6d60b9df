"""A configuration beside the weights it came with: what it asks for is compared with them before anything is built."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn.modules import module as modules

from audioloss_cli.probe.errors import UnreadableError

_FREE_VALUES, _VALUES = 1 << 24, 8  # a model may have so many more than the weights: some are missing, some are tied
_FREE_PARTS, _PARTS = 20_000, 50  # modules, parameters and buffers, for each tensor of the weights
_COUNTS = re.compile(
    r"(^|_)(layers?|heads?|codebooks?|quantizers|labels|experts|blocks?|groups?|stages?|streams|depth)$"
)
_MOST = 100_000  # configurations make lists of them


def check_counts(config: Any, path: Path) -> None:
    """Refuse counts that no model has; lists as long as they say are made before there is a model to measure.

    Raises:
        UnreadableError: one is named.
    """
    for name, value in _numbers(config):
        if value > _MOST and _COUNTS.search(name):
            raise UnreadableError(f"{path}: {name[:80]} {value:g} is more than any model has; correct it")


@contextmanager
def no_larger_than(tensors: Mapping[str, Tensor], path: Path) -> Iterator[None]:
    """Stop a model that is being built, on whatever device, where it outgrows the weights.

    Raises:
        UnreadableError: it does.
    """
    stored = sum(tensor.numel() for tensor in tensors.values())
    most_values = max(_FREE_VALUES, _VALUES * stored)
    most_parts = _FREE_PARTS + _PARTS * len(tensors)
    values = parts = 0

    def count(_module: Any, _name: str, part: Any) -> None:
        nonlocal values, parts
        parts += 1
        values += part.numel() if isinstance(part, Tensor) else 0
        if values > most_values or parts > most_parts:
            raise UnreadableError(
                f"{path} describes a model of more than {min(values, most_values):,} values in {parts:,} parts, and "
                f"the weights hold {stored:,} values in {len(tensors):,} tensors: put the two that belong together in "
                "one directory"
            )

    register: tuple[Callable[[Any], Any], ...] = (
        modules.register_module_parameter_registration_hook,
        modules.register_module_buffer_registration_hook,
        modules.register_module_module_registration_hook,
    )
    handles = [each(count) for each in register]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _numbers(found: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield from _numbers(value, str(key))
    elif isinstance(found, list):
        for value in found:
            yield from _numbers(value, name)
    elif isinstance(found, (int, float)):
        yield name, found
