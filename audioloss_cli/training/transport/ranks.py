"""The ranks of a distributed run: each one feeds, all see the same numbers, rank 0 speaks.

The sum over the ranks is started at the end of a step and read at the end of the next one, when the gradients of that
step have long made the ranks wait for each other. All ranks then hold the same numbers, so that the monitors of all
come to the same alerts at the same step and act together: a stop or a rollback on one rank alone would hang the run.

The scalars are summed on the same kind of device on all ranks, or the sum would hang. What lies where on one rank says
nothing of the others, one of which may have no loss, or a float. NCCL sums nothing but tensors on a device, gloo waits
for the device: so it is the process group that decides. A group that does both, as ``cpu:gloo,cuda:nccl``, begins on
the CPU, where runs without a device stay. Each row tells whether any rank had a value on a device, and two rows later,
when all of them have read it, the sums go there.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from audioloss_cli.training.transport.pinned_memory import Marks, Rows, devices_of, fill
from audioloss_cli.training.transport.scalar_layout import LOSSES, NAMES, Values

_HOST_WAITS = {"gloo", "mpi"}  # backends that sum tensors on a device by way of the host
_WIDTH = len(NAMES)
# A row holds the values, which of them there are, whether one is broken, on which rank, and whether one is on a device.
_BROKEN, _WHOSE, _FAR = 2 * _WIDTH, 2 * _WIDTH + 1, 2 * _WIDTH + 2
_ALL = _FAR + 1
_UNTIL_ALL_KNOW = 2  # a row is read after the next one was sent


class Whose(NamedTuple):
    """Whose trouble an alert is about.

    Attributes:
        ranks: those that have the batch and speak beside rank 0; -1 for one that is not known by number.
        words: the same for a message; empty for a single process.
    """

    ranks: tuple[int, ...] = ()
    words: str = ""


NOBODY = Whose()


class Ranks:
    """The default process group.

    Attributes:
        rank, size: of this process, and how many there are.
        on_cpu: whether the group exchanges tensors on the CPU; NCCL does not.
        kind: of the devices on which it exchanges tensors without a wait of the host, as ``cuda``; empty for none.
        home: the device of that kind on which this rank's model lies, as far as that is known.
    """

    def __init__(self, model: Any = None) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        served = dict(each.split(":", 1) for each in dist.get_backend_config().split(","))  # as cpu:gloo,cuda:nccl
        self.on_cpu = served.pop("cpu", None) is not None
        kinds = [kind for kind, backend in served.items() if backend not in _HOST_WAITS]
        self.kind = next(iter(kinds if self.on_cpu else [*kinds, *served]), "")
        devices = (each.device for each in model.parameters()) if hasattr(model, "parameters") else ()
        self.home = next((device for device in devices if device.type == self.kind), None)

    def bound_device(self) -> torch.device | None:
        """The one that ``init_process_group(device_id=...)`` was given."""
        return getattr(dist.group.WORLD, "bound_device_id", None)

    def sum(self, row: Tensor) -> Any:
        """Start to sum a row [W] over the ranks, in place; a handle with ``wait()``."""
        return dist.all_reduce(row, async_op=True)

    def share(self, own: Any, device: torch.device) -> list[Any]:
        """What each rank has, by its number: JSON in tensors, never pickle. It waits for all of them.

        Args:
            own: built-in types.
            device: on which the process group works.
        """
        data = torch.tensor(list(json.dumps(own).encode()), dtype=torch.uint8, device=device)
        sizes = torch.zeros(self.size, dtype=torch.int64, device=device)
        sizes[self.rank] = len(data)
        dist.all_reduce(sizes)
        longest, known = int(sizes.max()), sizes.tolist()
        padded = torch.zeros(longest, dtype=torch.uint8, device=device)
        padded[: len(data)] = data
        rows = [torch.zeros_like(padded) for _ in known]
        dist.all_gather(rows, padded)
        return [json.loads(bytes(row[:size].tolist())) for row, size in zip(rows, known, strict=True)]

    def whose(self, broken: tuple[int, ...]) -> Whose:
        """Ranks whose loss is not finite."""
        return Whose(broken, describe(broken, self.size))


def find_ranks(model: Any = None) -> Ranks | None:
    """The ranks that train the ``model`` together; None for a single process."""
    if not (dist.is_available() and dist.is_initialized()):
        return None
    return Ranks(model) if dist.get_world_size() > 1 else None


def describe(broken: tuple[int, ...], size: int) -> str:
    """Which ranks had a loss that is not finite, in words; empty for none."""
    if not broken:
        return ""
    which = f"rank {broken[0]}" if broken[0] >= 0 else f"{len(broken)} ranks"
    return f"not finite on {which} of {size}"


class RankSums:
    """Sums of rows [2 W + 3] over the ranks.

    Args:
        ranks: those that train together.
        rows: how many may be under way.
    """

    def __init__(self, ranks: Ranks, rows: int) -> None:
        self._ranks, self._count = ranks, rows
        self._rows, self._marks = Rows(rows, _ALL), Marks(rows)
        self._far: torch.device | None = None
        self._buffer: Tensor | None = None
        self._far_from: float = math.inf if ranks.on_cpu else 0  # number of the first row that is summed on the device

    @property
    def device(self) -> torch.device:
        """One on which the group exchanges tensors."""
        return torch.device("cpu") if self._ranks.on_cpu else self._far_device(())

    def send(self, number: int, values: Mapping[str, Any], taken: Mapping[str, range]) -> tuple[Tensor, Any, Any]:
        """Start the sum of a step; a NaN stays a NaN.

        Args:
            number: of the row, counted from 0; the same on all ranks.
            values: by name.
            taken: places of each.

        Returns:
            The row on the host, events of the devices that must have passed before it is read, and what to wait for.
        """
        slot, devices = number % self._count, devices_of(values.values())
        own = _on_the_host(values, taken)
        own[_FAR] = float(any(device.type == self._ranks.kind for device in devices))
        if number < self._far_from:
            row = self._rows.at(slot, "cpu")
            row.copy_(torch.tensor(own, dtype=row.dtype, device="cpu"))
            self._complete(row, values, taken)
            return row, (), self._ranks.sum(row)
        far = self._far_device(devices)
        row, there = self._rows.at(slot, far.type), self._buffer_on(far).select(0, slot)
        row.copy_(torch.tensor(own, dtype=row.dtype, device="cpu"))
        self._complete(there.copy_(row, non_blocking=True), values, taken)
        work = self._ranks.sum(there)
        if work is not None:
            work.wait()  # NCCL: the stream waits, not the host
        row.copy_(there, non_blocking=True)
        return row, self._marks.set(slot, (far,)), None

    def read(self, number: int, numbers: list[float]) -> tuple[Values, tuple[int, ...]]:
        """Means over the ranks that had a value, and the ranks whose loss is not finite, see ``Arrived``."""
        if numbers[_FAR] and self._far_from == math.inf:
            self._far_from = number + _UNTIL_ALL_KNOW
        counts = numbers[_WIDTH:_BROKEN]
        values = {name: numbers[place] / counts[place] for place, name in enumerate(NAMES) if counts[place]}
        bad, code = numbers[_BROKEN], numbers[_WHOSE]
        return values, (int(code) - 1,) if bad == 1 else (-1,) * int(bad)

    def _complete(self, there: Tensor, values: Mapping[str, Any], taken: Mapping[str, range]) -> None:
        """What lies on a device, and what can only be told with it."""
        for name, value in values.items():
            if isinstance(value, Tensor) and not value.is_cpu:
                fill(there, taken[name], value, wait=there.is_cpu)  # on the CPU it is read at once
        # Of the losses alone: a gradient norm may overflow under a loss scale, and is then skipped by the scaler.
        broken = (~torch.isfinite(there.narrow(0, 0, LOSSES))).any()
        there.select(0, _BROKEN).copy_(broken)
        there.select(0, _WHOSE).copy_(broken * (self._ranks.rank + 1))

    def _far_device(self, devices: tuple[torch.device, ...]) -> torch.device:
        """For good: NCCL makes a group of its own for each device of a rank, and all ranks must do so together."""
        if self._far is None:
            own = next((device for device in devices if device.type == self._ranks.kind), None)
            # The current one last: a loop that names its device everywhere may leave that at 0 on every rank.
            far = self._ranks.bound_device() or own or self._ranks.home
            self._far = far or current_device(self._ranks.kind)
        return self._far

    def _buffer_on(self, far: torch.device) -> Tensor:
        if self._buffer is None:
            self._buffer = make_buffer((self._count, _ALL), torch.float32 if far.type == "mps" else torch.float64, far)
        return self._buffer


def _on_the_host(values: Mapping[str, Any], taken: Mapping[str, range]) -> list[float]:
    """What can be read without a wait."""
    own = [0.0] * _ALL
    for name, value in values.items():
        places = taken[name]
        own[_WIDTH + places.start : _WIDTH + places.stop] = [1.0] * len(places)
        if not isinstance(value, Tensor):
            own[places.start] = float(value)
        elif value.is_cpu:
            own[places.start : places.stop] = value.detach().reshape(-1).tolist()
    return own


def current_device(kind: str) -> torch.device:
    """Of this process, as ``torch.cuda.set_device`` chose it."""
    return torch.device(kind, torch.accelerator.current_device_index())


def make_buffer(shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """On the device."""
    return torch.zeros(shape, dtype=dtype, device=device)
