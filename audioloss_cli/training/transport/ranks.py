"""The ranks of a distributed run: each one feeds, all see the same numbers, rank 0 speaks.

The sum over the ranks is started at the end of a step and read at the end of the next one, when the gradients of that
step have long made the ranks wait for each other. All ranks then hold the same numbers, so that the monitors of all
come to the same alerts at the same step and act together: a stop or a rollback on one rank alone would hang the run.
"""

import json
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor


class Whose(NamedTuple):
    """Whose trouble an alert is about.

    Attributes:
        ranks: those that have the batch and speak beside rank 0; -1 for one that is not known by number.
        words: the same for a message; empty for a single process.
    """

    ranks: tuple[int, ...] = ()
    words: str = ""


NOBODY = Whose()


_HOST_WAITS = {"gloo", "mpi"}  # backends that sum tensors on a device by way of the host


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
