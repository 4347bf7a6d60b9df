"""``adapter_config.json`` of PEFT: its ranks are held to the weights beside it, and its patterns come to an end."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from audioloss_cli.probe.errors import UnreadableError

_FREE_RANK, _TIMES = (
    64,
    4,
)  # a rank that differs from the file's is told as a mismatch, one beyond all measure is not built
_LONGEST, _MOST_REPEATS, _MOST_WILD = 1000, 10, 4
_REPEAT = re.compile(r"(?<!\\)[*+{]")
_WILD = re.compile(r"(\.|\]|\\[wWDSs])[*+{]")
_REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+{]")
_PATTERNS = ("target_modules", "exclude_modules", "modules_to_save", "layers_pattern", "target_parameters")
_BY_PATTERN = ("rank_pattern", "alpha_pattern")


def check_settings(settings: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Hold the settings to the weights before PEFT builds or matches anything.

    Args:
        settings: of ``adapter_config.json``.
        tensors: of the adapter's weights.
        path: of the settings, for messages.

    Raises:
        UnreadableError: a rank is none or beyond all measure, or a pattern may take for ever.
    """
    most = max([_FREE_RANK, *(_TIMES * axis for tensor in tensors.values() for axis in tensor.shape[-2:])])
    for rank in _ranks(settings):
        if type(rank) is not int or not 0 < rank <= most:
            raise UnreadableError(f"{path}: the rank {str(rank)[:80]} is not that of the weights beside it; correct it")
    for pattern in _patterns(settings):
        if not _ends(pattern):
            raise UnreadableError(f"{path}: the pattern {pattern[:80]!r} may take for ever; name the modules in a list")


def _ranks(settings: Mapping[str, Any]) -> Iterator[Any]:
    yield settings.get("r", 8)
    by_pattern = settings.get("rank_pattern")
    if isinstance(by_pattern, Mapping):
        yield from by_pattern.values()


def _patterns(settings: Mapping[str, Any]) -> Iterator[str]:
    for name in (*_PATTERNS, *_BY_PATTERN):
        found = settings.get(name)
        several = found if isinstance(found, (list, Mapping)) else [found]
        yield from (item for item in several if isinstance(item, str))


def _ends(pattern: str) -> bool:
    """Repeats inside of repeats take exponential time; many of them in a row a high power of a name's length."""
    return (
        len(pattern) <= _LONGEST
        and len(_REPEAT.findall(pattern)) <= _MOST_REPEATS
        and len(_WILD.findall(pattern)) <= _MOST_WILD
        and not _REPEATED_GROUP.search(pattern)
    )
