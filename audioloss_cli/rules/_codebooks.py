"""What is logged of all codebooks beside the loss of one; a private module is no plugin."""

import math
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from audioloss_cli.model.point import CODEBOOK

LEAST_CODEBOOKS = 3  # with two, neither is the odd one


def siblings(beside: Mapping[str, Any]) -> dict[str, Any]:
    """The losses of all codebooks, this one included, by name."""
    return {name: beside[name] for name in _sibling_names(tuple(beside))}


def finite_losses(beside: Mapping[str, float]) -> list[float]:
    """Those of ``siblings`` that are numbers."""
    losses = [beside[name] for name in _sibling_names(tuple(beside))]
    return losses if math.isfinite(sum(losses)) else [value for value in losses if math.isfinite(value)]


def codebooks(names: Collection[str]) -> tuple[str, ...]:
    """Those of the names under which the losses of codebooks stand."""
    return _sibling_names(frozenset(names))


@lru_cache(maxsize=256)  # asked at every point, of the same names
def _sibling_names(names: tuple[str, ...] | frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name.startswith(CODEBOOK))
