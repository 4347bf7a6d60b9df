"""The batches of the last few steps: an alert that comes a step late still finds the batch it is about."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from audioloss_cli.probe.adapter import to_device

Batch = Mapping[str, Any]
_STEPS = 4
_MICRO_BATCHES = 8  # of one step


class Fed(NamedTuple):
    """One micro-batch.

    Attributes:
        clean: what the model was given.
        original: as the collator made it; None if nobody has seen it.
        dropped: keys of which only the names are known: the trainer removed them before the collator.
    """

    clean: Batch
    original: Batch | None = None
    dropped: tuple[str, ...] = ()


def on_cpu(fed: Fed) -> Fed:
    """A copy, where it is not there already."""
    cpu = torch.device("cpu")
    original: Batch | None = None if fed.original is None else to_device(dict(fed.original), cpu)
    return Fed(to_device(dict(fed.clean), cpu), original, fed.dropped)


class RecentBatches:
    """References, no copies: a batch in place stays in place.

    Attributes:
        steps: the last few, each with what ``Fed`` is made of, for each of its micro-batches.
    """

    def __init__(self) -> None:
        self.steps: deque[tuple[int, Sequence[tuple[Any, ...]]]] = deque(maxlen=_STEPS)
        self._open: list[Fed] = []

    def add(self, fed: Fed) -> None:
        """One micro-batch of the step that is not closed yet."""
        if len(self._open) < _MICRO_BATCHES:
            self._open.append(fed)

    def close(self, step: int) -> None:
        """What was added since the last call belongs to this step."""
        if self._open:
            self.steps.append((step, self._open))
            self._open = []

    def at(self, step: int) -> list[Fed]:
        """The micro-batches of a step; for want of them those of the last step before, or else of the first."""
        before = next((fed for known, fed in reversed(self.steps) if known <= step), None)
        return [Fed(*each) for each in before or (self.steps[0][1] if self.steps else ())]
