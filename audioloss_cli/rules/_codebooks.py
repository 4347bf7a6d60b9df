"""What is logged of all codebooks beside the loss of one; a private module is no plugin."""

from collections.abc import Mapping
from typing import Any

from audioloss_cli.records.point import CODEBOOK

LEAST_CODEBOOKS = 3  # with two, neither is the odd one


def siblings(beside: Mapping[str, Any]) -> dict[str, Any]:
    """The losses of all codebooks, this one included, by name."""
    return {name: value for name, value in beside.items() if name.startswith(CODEBOOK)}
