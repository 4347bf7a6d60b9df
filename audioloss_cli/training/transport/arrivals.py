"""The numbers of each step as they come in: at once where they lie on the CPU, else late, and over all ranks.

``loss.item()`` makes the host wait until the device has computed the loss, and the device then waits for the host: a
training loop loses 5 to 10 % to one such call a step. Here the copy of a scalar into pinned memory is queued behind the
work that is already queued, an event marks its end, and the number is read at a later step. The losses of a step may
lie on several devices, where the model is spread over them: then each of these has an event of its own.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor

from audioloss_cli.monitor.scalars import as_loss
from audioloss_cli.training.transport.pinned_memory import Marks, Rows, devices_of, fill
from audioloss_cli.training.transport.ranks import Ranks, RankSums, find_ranks
from audioloss_cli.training.transport.scalar_layout import NAMES, WIDE, Arrived, slots_of

_ROWS = 64  # steps that the host may run ahead of the device


class Arrivals:
    """From losses of any kind to numbers.

    Args:
        deferred: read at a later step; None: where they lie on a device, and where several ranks train.

    Attributes:
        started: whether a step was over, and the ranks are known.
        ranks: those that train together; None for one process, and before the first step is over.
        at_once: whether numbers on the CPU need not go through the queue.
    """

    def __init__(self, deferred: bool | None) -> None:
        self._late: AsyncScalars | None = None
        self.started = False
        self.ranks: Ranks | None = None
        self.at_once = not deferred

    def start(self, model: Any) -> None:
        """The ranks, and the device of the ``model``, are known once the first step is over."""
        if not self.started:
            self.started = True
            self.ranks = find_ranks(model)
            self.at_once = self.at_once and self.ranks is None

    def take(self, step: int, values: dict[str, Any]) -> Iterator[Arrived]:
        """The scalars of one step in; those that have arrived out.

        Raises:
            TypeError: a loss is not one number.
        """
        for name, value in values.items():
            if hasattr(value, "full_tensor"):  # a DTensor, as the gradient norm of FSDP2; all ranks come here
                value = values[name] = value.full_tensor()  # noqa: PLW2901
            if not isinstance(value, Tensor):
                values[name] = as_loss(value)
            elif value.is_complex() or (value.numel() != 1 and name not in WIDE):
                kind = "a complex one" if value.is_complex() else f"a tensor of shape {tuple(value.shape)}"
                raise TypeError(f"the {name} loss must be one number, not {kind}")
        if self.at_once and self._read(values):
            yield Arrived(step, values)
            return
        if self._late is None:
            self._late = AsyncScalars(self.ranks)
            self.at_once = False
        self._late.put(step, values)
        yield from self._late.ready()

    def ready(self) -> Iterator[Arrived]:
        """Those that have arrived by now; for a single process, or all ranks would have to come here together."""
        if self._late is not None:
            yield from self._late.ready()

    def flush(self) -> Iterator[Arrived]:
        """Wait for what is queued."""
        if self._late is not None:
            yield from self._late.ready(flush=True)

    @property
    def alone(self) -> bool:
        """Whether this process may act whenever it likes; ranks that are there before the first step count as well."""
        return self.ranks is None and find_ranks() is None

    @property
    def device(self) -> torch.device:
        """Where ranks exchange what else they have, see ``AsyncScalars``."""
        return torch.device("cpu") if self._late is None else self._late.device

    def _read(self, values: dict[str, Any]) -> bool:
        """In place; whether nothing has to be waited for."""
        for name, value in values.items():
            if isinstance(value, Tensor):
                if not value.is_cpu:
                    return False
                values[name] = float(value.item())
        return True


def read_plain(values: dict[str, Any]) -> bool:
    """Numbers and tensors of one number on the CPU, in place; False where there is anything else, for ``take``."""
    for name, value in values.items():
        kind = type(value)
        if kind is float:
            continue
        if kind is not Tensor or not value.is_cpu:
            return False
        try:
            number = value.item()
        except RuntimeError:  # it is not one number
            return False
        if type(number) is complex:
            return False
        values[name] = float(number)
    return True


class _Sent(NamedTuple):
    step: int
    row: Tensor
    present: tuple[int, ...]
    events: tuple[Any, ...]
    work: Any
    number: int


class AsyncScalars:
    """A queue of rows, each [W], or wider where several ranks are summed up, on the host.

    Args:
        ranks: those that train together; None for one process.
    """

    def __init__(self, ranks: Ranks | None = None) -> None:
        self._sums = None if ranks is None else RankSums(ranks, _ROWS)
        self._rows, self._marks = Rows(_ROWS, len(NAMES)), Marks(_ROWS)
        self._sent: deque[_Sent] = deque()
        self._count = 0

    def put(self, step: int, values: Mapping[str, Any]) -> None:
        """Queue the scalars of a step: floats, and tensors on any device; nothing waits for a device.

        With several ranks every one of them must come here at the same steps. Only where their process group knows no
        sum on a device is such a scalar waited for, see ``RankSums``.
        """
        number, slot = self._count, self._count % _ROWS
        self._count += 1
        taken = {name: slots_of(name, value) for name, value in values.items()}
        if self._sums is not None:
            row, events, work = self._sums.send(number, values, taken)
        else:
            devices, work = devices_of(values.values()), None
            row = self._rows.at(slot, devices[0].type if devices else "cpu")
            for name, value in values.items():
                fill(row, taken[name], value)
            events = self._marks.set(slot, devices)
        self._sent.append(_Sent(step, row, tuple(chain.from_iterable(taken.values())), events, work, number))

    def ready(self, *, flush: bool = False) -> Iterator[Arrived]:
        """The rows that have arrived, in order; ``flush`` waits for all.

        With several ranks these are all but the last one, so that each rank sees the same rows at the same step.
        """
        while self._sent:
            if self._sums is not None:
                if len(self._sent) == 1 and not flush:
                    return
            elif not (flush or len(self._sent) == _ROWS or all(each.query() for each in self._sent[0].events)):
                return
            sent = self._sent.popleft()
            if sent.work is not None:
                sent.work.wait()
            for event in sent.events:
                event.synchronize()  # has passed already, but for a flush and for ranks in lockstep
            yield self._read(sent)

    @property
    def waiting(self) -> int:
        """Steps that are queued."""
        return len(self._sent)

    @property
    def device(self) -> torch.device:
        """Where the ranks exchange what else they have; the CPU for a single process."""
        return torch.device("cpu") if self._sums is None else self._sums.device

    def _read(self, sent: _Sent) -> Arrived:
        numbers = sent.row.tolist()
        if self._sums is not None:
            values, broken = self._sums.read(sent.number, numbers)
            return Arrived(sent.step, values, broken)
        return Arrived(sent.step, {NAMES[place]: numbers[place] for place in sent.present})
