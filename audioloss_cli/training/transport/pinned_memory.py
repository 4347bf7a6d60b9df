"""Where a device puts numbers and batches on the host without a wait, and the marks of when they are there.

The copies of a batch are queued behind the work that is already queued, into pinned memory that torch makes for them.
What they are made from is held until they are over: else its memory could be another's by then.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.training.batches.recent import MicroBatch, on_cpu

#: Bytes of a batch beyond which it is left where it is: the copy would keep the device from its work for 10 ms.
LARGEST = 256 << 20


class Rows:
    """Rows [count, width] on the host, for each kind of device those that suit it; made when it is first seen."""

    def __init__(self, count: int, width: int) -> None:
        self._shape = (count, width)
        self._made: dict[str, Tensor] = {}

    def at(self, slot: int, kind: str) -> Tensor:
        """The row [width] of a slot to which a device of this kind may copy without a wait; ``cpu`` for none."""
        rows = self._made.get(kind)
        if rows is None:
            # To memory that is not pinned CUDA copies while the host waits. MPS knows no float64; a float32 loss loses
            # nothing either way.
            dtype = torch.float32 if kind == "mps" else torch.float64
            rows = self._made[kind] = make_rows(self._shape, dtype, pinned=kind == "cuda")
        return rows[slot]


class Marks:
    """Events, ``count`` of them for each device, made when it is first seen."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._events: dict[torch.device, list[Any]] = {}

    def set(self, slot: int, devices: Iterable[torch.device]) -> tuple[Any, ...]:
        """Mark the end of what is queued on each of them.

        A copy from a device is queued on the current stream of that device, whichever is the current device: there, and
        nowhere else, its end can be marked.
        """
        return tuple([self._on(slot, device) for device in devices])

    def _on(self, slot: int, device: torch.device) -> Any:
        events = self._events.get(device)
        if events is None:
            events = self._events[device] = [make_event(device) for _ in range(self._count)]
        events[slot].record(stream_of(device))
        return events[slot]


def make_rows(shape: tuple[int, int], dtype: torch.dtype, *, pinned: bool) -> Tensor:
    """On the host."""
    return torch.zeros(shape, dtype=dtype, pin_memory=pinned, device="cpu")


def make_event(device: torch.device) -> Any:
    """With ``record``, ``query`` and ``synchronize``."""
    return torch.cuda.Event() if device.type == "cuda" else torch.Event(device)


def stream_of(device: torch.device) -> Any:
    """The current one of this device."""
    return torch.cuda.current_stream(device) if device.type == "cuda" else torch.accelerator.current_stream(device)


def fill(row: Tensor, places: range, value: Any, *, wait: bool = False) -> None:
    """Put a float or a tensor into some places of a row [W].

    Args:
        row: on the host, or for tensors on a device.
        places: as many as the value has numbers.
        value: a float, or a tensor on any device.
        wait: whether the numbers must be there on return.
    """
    if isinstance(value, Tensor):
        there, value = row.narrow(0, places.start, len(places)), value.detach().reshape(-1)
        # In the row's dtype already: a copy that converts goes through memory that is not pinned. Where that does not
        # matter it is converted on the host: MPS knows no float64.
        there.copy_(value.cpu() if wait else value.to(row.dtype), non_blocking=not wait)
    else:
        row[places.start] = float(value)


def devices_of(values: Iterable[Any]) -> tuple[torch.device, ...]:
    """Those on which some of the values lie, each once; without the CPU."""
    found = {value.device: None for value in values if isinstance(value, Tensor) and not value.is_cpu}
    return tuple(found)


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
