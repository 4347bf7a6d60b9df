"""A batch that lies on a device, copied to the host without a wait and read once an event has passed.

The copies are queued behind the work that is already queued, as those of ``late_scalar`` are, into pinned memory that
torch makes for them. What they are made from is held until they are over: else its memory could be another's by then.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from audioloss_cli.training.batches.recent import MicroBatch, on_cpu
from audioloss_cli.training.transport.pinned_memory import Marks, devices_of

#: Bytes of a batch beyond which it is left where it is: the copy would keep the device from its work for 10 ms.
LARGEST = 256 << 20


class AsyncBatch:
    """One at a time.

    Attributes:
        sent: the copy, what marks its end, and what it is made from; None if nothing is on its way.
    """

    def __init__(self) -> None:
        self.sent: tuple[MicroBatch, tuple[Any, ...], MicroBatch] | None = None
        self._marks = Marks(1)

    def send(self, fed: MicroBatch) -> None:
        """Queue the copies, unless they are too large."""
        tensors = far_tensors(fed)
        if sum(each.numel() * each.element_size() for each in tensors) <= LARGEST:
            copy = on_cpu(fed, wait=False)
            self.sent = copy, self._marks.set(0, devices_of(tensors)), fed

    def take(self) -> MicroBatch | None:
        """The copy, once it is there."""
        if self.sent is None or not all(event.query() for event in self.sent[1]):
            return None
        (copy, _, _), self.sent = self.sent, None
        return copy


def far_tensors(fed: MicroBatch) -> list[Tensor]:
    """Those on a device."""
    return [each for each in (*_tensors(fed.clean), *_tensors(fed.original)) if not each.is_cpu]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(each)
