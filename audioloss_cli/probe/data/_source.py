"""What every kind of data ends in."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
        whole: every batch of the data, from the first on, by the loader's own workers where it has any, as they come:
            nothing is copied, and an exception of the user's code goes through. None: ``batches`` are all.
        total: how many batches ``whole`` gives; None if that is not known.
        order: places in the data set of the samples of each batch that ``whole`` has given and that nobody took yet,
            the earliest first; None where that is not known.
        with_replacement: whether the sampler draws the same sample more than once on purpose.
        first_notes: sentences on how ``batches`` came about, which do not hold for ``whole``.
    """

    batches: list[dict[str, Any]]
    kind: str
    notes: list[str]
    again: Callable[[], list[dict[str, Any]]] | None = None
    whole: Callable[[], Iterator[Any]] | None = None
    total: int | None = None
    order: deque[list[int]] | None = None
    first_notes: list[str] = field(default_factory=list)
    with_replacement: bool = False
