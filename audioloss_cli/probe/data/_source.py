"""What every kind of data ends in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BatchSource:
    """Collated batches, and how they came about.

    Attributes:
        batches: dicts of tensors and whatever else the data holds; never altered by ``again``.
        kind: one line for the report.
        notes: sentences on what the user may not expect.
        again: collates the same samples once more, with the same random numbers, so that a collator that writes into
            its samples shows; it may give fewer batches than the first pass. None where samples cannot be had twice.
            Raises UnreadableError as the first pass does.
    """

    batches: list[dict[str, Any]]
    kind: str
    notes: list[str]
    again: Callable[[], list[dict[str, Any]]] | None = None
