"""Scalars that lie on a device, copied to pinned memory without a wait and read once their event has passed.

``loss.item()`` makes the host wait until the device has computed the loss, and the device then waits for the host: a
training loop loses 5 to 10 % to one such call a step. Here the copy is queued behind the work that is already queued,
an event marks its end, and the number is read at a later step.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor

from audioloss_cli.training.distributed import Ranks
from audioloss_cli.training.slots import LOSSES, NAMES, Arrived, slots_of

_WIDTH = len(NAMES)
_ROWS = 64  # steps that the host may run ahead of the device


class _Sent(NamedTuple):
    step: int
    row: Tensor
    present: tuple[int, ...]
    event: Any
    work: Any


class LateScalars:
    """A queue of rows, each [W] or with several ranks [2 W + 2], in pinned memory.

    Args:
        device: where the scalars lie.
        ranks: those that train together; None for one process.
    """

    def __init__(self, device: torch.device, ranks: Ranks | None = None) -> None:
        self.device, self.ranks = device, ranks
        # MPS knows no float64; a float32 loss loses nothing either way.
        dtype = torch.float32 if device.type == "mps" else torch.float64
        width = _WIDTH if ranks is None else 2 * _WIDTH + 2
        self._rows = torch.zeros(_ROWS, width, dtype=dtype, pin_memory=device.type == "cuda")
        self._buffer = None if device.type == "cpu" else torch.zeros(_ROWS, width, dtype=dtype, device=device)
        self._events = [_event(device) for _ in range(_ROWS)]
        self._sent: deque[_Sent] = deque()
        self._count = 0

    def put(self, step: int, values: Mapping[str, Any]) -> None:
        """Queue the scalars of a step: floats, and tensors on the device or the CPU; nothing waits for the device.

        With several ranks every one of them must come here at the same steps.
        """
        slot = self._count % _ROWS
        self._count += 1
        row, event = self._rows[slot], self._events[slot]
        taken = {name: slots_of(name, value) for name, value in values.items()}
        work = None
        if self.ranks is not None:
            work = self._reduce(slot, values, taken)
        else:
            for name, value in values.items():
                _fill(row, taken[name], value)
        if event is not None:
            event.record()
        self._sent.append(_Sent(step, row, tuple(chain.from_iterable(taken.values())), event, work))

    def ready(self, *, flush: bool = False) -> Iterator[Arrived]:
        """The rows that have arrived, in order; ``flush`` waits for all.

        With several ranks these are all but the last one, so that each rank sees the same rows at the same step.
        """
        while self._sent:
            if self.ranks is not None:
                if len(self._sent) == 1 and not flush:
                    return
            elif not (flush or len(self._sent) == _ROWS or self._sent[0].event is None or self._sent[0].event.query()):
                return
            sent = self._sent.popleft()
            if sent.work is not None:
                sent.work.wait()
            if sent.event is not None:
                sent.event.synchronize()  # has passed already, but for a flush and for ranks in lockstep
            yield self._read(sent)

    @property
    def waiting(self) -> int:
        """Steps that are queued."""
        return len(self._sent)

    def _reduce(self, slot: int, values: Mapping[str, Any], taken: Mapping[str, range]) -> Any:
        """Sum over the ranks of [values, which there are, whether broken, which rank is]; a NaN stays a NaN."""
        row = self._rows[slot]
        host = [0.0] * len(row)
        for place in chain.from_iterable(taken.values()):
            host[_WIDTH + place] = 1.0
        for name, value in values.items():
            if not isinstance(value, Tensor):
                host[taken[name].start] = float(value)
        row.copy_(torch.tensor(host, dtype=row.dtype))
        there = row if self._buffer is None else self._buffer[slot].copy_(row, non_blocking=True)
        for name, value in values.items():
            if isinstance(value, Tensor):
                _fill(there, taken[name], value)
        assert self.ranks is not None  # noqa: S101  # for mypy: the caller looked
        # Of the losses alone: a gradient norm may overflow under a loss scale, and is then skipped by the scaler.
        broken = (~torch.isfinite(there[:LOSSES])).any()
        there[2 * _WIDTH].copy_(broken)
        there[2 * _WIDTH + 1].copy_(broken * (self.ranks.rank + 1))
        work = self.ranks.sum(there)
        if there is not row:
            if work is not None:
                work.wait()  # NCCL: the stream waits, not the host
            row.copy_(there, non_blocking=True)
            return None
        return work

    def _read(self, sent: _Sent) -> Arrived:
        numbers = sent.row.tolist()
        if self.ranks is None:
            return Arrived(sent.step, {NAMES[place]: numbers[place] for place in sent.present})
        counts, (bad, code) = numbers[_WIDTH : 2 * _WIDTH], numbers[2 * _WIDTH :]
        values = {name: numbers[place] / counts[place] for place, name in enumerate(NAMES) if counts[place]}
        known = (int(code) - 1,) if bad == 1 else (-1,) * int(bad)
        return Arrived(sent.step, values, known)


def _event(device: torch.device) -> Any:
    if device.type == "cuda":
        return torch.cuda.Event()
    return None if device.type == "cpu" else torch.Event(device)


def _fill(row: Tensor, places: range, value: Any) -> None:
    if isinstance(value, Tensor):
        # In the row's dtype already: a copy that converts goes through memory that is not pinned.
        row[places.start : places.stop].copy_(value.detach().reshape(-1).to(row.dtype), non_blocking=True)
    else:
        row[places.start] = float(value)
