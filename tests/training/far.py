"""Devices that a machine without any can have: what is copied from them to the host arrives when a test says so."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from audioloss_cli.training.transport import pinned_memory, ranks

READS = ("item", "tolist", "__bool__", "__float__", "__int__", "numpy")


class Queue:
    """What one device has still to do.

    Attributes:
        left: copies to the host, in order.
        queued, done: how many there ever were, and how many of them are over.
    """

    def __init__(self) -> None:
        self.left: list[Callable[[], object]] = []
        self.queued = self.done = 0

    def add(self, copy: Callable[[], object]) -> None:
        self.left.append(copy)
        self.queued += 1

    def run(self, until: int | None = None) -> None:
        while self.left and (until is None or self.done < until):
            self.left.pop(0)()
            self.done += 1


class Far(Tensor):
    """A tensor that says it lies on a device; it computes at once, and arrives on the host late."""

    queues: dict[torch.device, Queue] = {}  # noqa: RUF012  # of the running test
    waits: list[torch.device] = []  # noqa: RUF012  # copies for which the host waited

    @staticmethod
    def __new__(cls, inner: Tensor, device: torch.device) -> "Far":
        made = Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, device=device)
        made.inner = inner
        return made

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, func.__name__
        if name == "__get__":  # its device, dtype, shape
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **kwargs)
        at = next(each for each in tree_leaves((args, kwargs)) if isinstance(each, Far)).device
        assert name not in READS, f"the host waits for {at}"
        if name == "cpu":
            cls._wait(at)
            return args[0].inner
        if name == "to" and isinstance(args[1], torch.dtype):
            assert (at.type, args[1]) != ("mps", torch.float64), "MPS knows no float64"
        if name == "to" and isinstance(args[1], torch.device):
            return cls._to(*args, waits=not kwargs.get("non_blocking", False))
        if name == "copy_" and not isinstance(args[0], Far):
            return cls._to_host(*args, waits=not kwargs.get("non_blocking", False))
        assert all(each.device == at for each in tree_leaves(args) if isinstance(each, Far)), "two devices"
        near = tree_map(lambda each: each.inner if isinstance(each, Far) else each, (args, kwargs))
        found = func(*near[0], **near[1])
        if name.endswith("_") and not name.endswith("__"):
            return args[0]
        return tree_map(lambda each: Far(each, at) if isinstance(each, Tensor) else each, found)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func} came past __torch_function__")

    @classmethod
    def _to(cls, far: "Far", device: torch.device, *dtype: torch.dtype, waits: bool) -> Tensor:
        if device.type == "cpu":  # filled with whatever lay there, until the copy is over
            return cls._to_host(torch.zeros_like(far.inner), far, waits=waits)
        assert not waits, f"the host waits for {far.device}"
        return Far(far.inner.to(*dtype), device)

    @classmethod
    def _to_host(cls, row: Tensor, far: "Far", *, waits: bool) -> Tensor:
        queue = cls.queues.setdefault(far.device, Queue())
        queue.add(lambda: row.copy_(far.inner))
        if waits:
            cls._wait(far.device)
        return row

    @classmethod
    def _wait(cls, device: torch.device) -> None:
        cls.waits.append(device)
        cls.queues.setdefault(device, Queue()).run()


class Event:
    """Passes when what was queued before it is over."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.queue, self.number = device, Queue(), 0

    def record(self, stream: torch.device) -> None:
        assert stream == self.device  # an event is of one device, as CUDA has it
        self.queue = Far.queues.setdefault(stream, Queue())
        self.number = self.queue.queued

    def query(self) -> bool:
        return self.queue.done >= self.number

    def synchronize(self) -> None:
        self.queue.run(self.number)


def far(value: float | list[float], device: str = "cuda:0", dtype: torch.dtype = torch.float32) -> Tensor:
    return Far(torch.tensor(value, dtype=dtype), torch.device(device))


def far_of(value: Tensor, device: str = "cuda:0") -> Tensor:
    return Far(value, torch.device(device))


def install(monkeypatch: Any) -> list[tuple[torch.dtype, bool]]:
    """Put such devices in the place of real ones; returns dtype and pinning of the rows that are made."""
    made: list[tuple[torch.dtype, bool]] = []

    def rows(shape: tuple[int, int], dtype: torch.dtype, *, pinned: bool) -> Tensor:
        made.append((dtype, pinned))
        return torch.zeros(shape, dtype=dtype)

    monkeypatch.setattr(Far, "queues", {})
    monkeypatch.setattr(Far, "waits", [])
    monkeypatch.setattr(pinned_memory, "make_rows", rows)
    monkeypatch.setattr(pinned_memory, "make_event", Event)
    monkeypatch.setattr(pinned_memory, "stream_of", lambda device: device)
    monkeypatch.setattr(ranks, "make_buffer", lambda shape, dtype, at: Far(torch.zeros(shape, dtype=dtype), at))
    monkeypatch.setattr(ranks, "current_device", lambda kind: torch.device(kind, 0))
    return made
