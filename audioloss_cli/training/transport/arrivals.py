"""The numbers of each step as they come in: at once where they lie on the CPU, else late, and over all ranks."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.monitor.scalars import as_loss
from audioloss_cli.training.transport.async_scalar import AsyncScalars
from audioloss_cli.training.transport.ranks import Ranks, find_ranks
from audioloss_cli.training.transport.scalar_layout import WIDE, Arrived


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
        if (
            kind is not Tensor or value.get_device() >= 0 or value.numel() != 1
        ):  # get_device is sooner asked than is_cpu
            return False
        number = value.item()
        if type(number) is complex:
            return False
        values[name] = float(number)
    return True
