"""What several families share: whose a checkpoint is, and numbers of a configuration that anybody wrote."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from audioloss_cli.checkpoints.families import Axis

_MOST = 1 << 31
_MOST_PARTS = 1000  # layers or codebooks, each of which is a tensor to look for


def is_said(config: Mapping[str, Any], types: tuple[str, ...], base: str) -> bool:
    """Whether a configuration names the family.

    Args:
        config: config.json, or adapter_config.json of PEFT.
        types: model types.
        base: regular expression that is searched in the name of the base model of an adapter.
    """
    found = config.get("model_type")
    if isinstance(found, str):
        return found in types
    mapping = config.get("auto_mapping")
    library = mapping.get("parent_library") if isinstance(mapping, Mapping) else None
    if isinstance(library, str):
        return any(f".models.{each}." in f"{library}." for each in types)
    name = config.get("base_model_name_or_path")
    return isinstance(name, str) and re.search(base, name.lower()) is not None


def any_named(pattern: str, names: Iterable[str]) -> bool:
    """Whether a name matches somewhere."""
    compiled = re.compile(pattern)
    return any(compiled.search(name) for name in names)


def part_of(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a configuration inside another one; empty if there is none."""
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def axis(config: Mapping[str, Any], *names: str) -> Axis | None:
    """Return the first of these settings that is a whole number above 0; None if none is."""
    for name in names:
        found = config.get(name)
        if type(found) is int and 0 < found <= _MOST:
            return Axis(found, f"{name} {found}")
    return None


def times(first: Axis | None, second: Axis | None) -> Axis | None:
    """Return the product; None if either is not known."""
    return first and second and Axis(first.length * second.length, f"{first.words} x {second.words}")


def plus(first: Axis | None, more: int, words: str = "") -> Axis | None:
    """Return an axis that is so much longer; None if it is not known."""
    sign = "+" if more > 0 else "-"
    return first and Axis(first.length + more, f"{first.words} {sign} {abs(more)}" + (f" ({words})" if words else ""))


def parts(count: Axis | None, more: int = 0) -> range:
    """Return the numbers of that many layers or codebooks; of none where it is not known or beyond all measure."""
    known = count is not None and count.length <= _MOST_PARTS
    return range(max(count.length + more, 0)) if known and count is not None else range(0)


def books(count: Axis | None, more: int = 0) -> int:
    """Return how many codebooks there are; 0 where that is not known."""
    return max(count.length + more, 0) if count else 0
