"""The batches of the last few steps: an alert that comes a step late still finds the batch it is about."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from audioloss_cli.probe.model_io.adapter import to_device

Batch = Mapping[str, Any]
_STEPS = 4
_MICRO_BATCHES = 8  # of one step


class MicroBatch(NamedTuple):
    """One micro-batch.

    Attributes:
        clean: what the model was given.
        original: as the collator made it; None if nobody has seen it.
        dropped: keys of which only the names are known: the trainer removed them before the collator.
        step: at which it was given; None if nobody knows.
        own_loss: whether the model made a loss of it: the labels that it was not given are then lost.
    """

    clean: Batch
    original: Batch | None = None
    dropped: tuple[str, ...] = ()
    step: int | None = None
    own_loss: bool = False


#: One of its fields, in a tuple; at each step the constructor itself would cost three times as much.
micro_batch: Callable[[tuple[Batch, Batch | None, tuple[str, ...], int | None, bool]], MicroBatch] = partial(
    tuple.__new__, MicroBatch
)


def on_cpu(fed: MicroBatch, *, wait: bool = True) -> MicroBatch:
    """A copy, where it is not there already; ``wait``: see ``to_device``."""
    cpu = torch.device("cpu")
    original: Batch | None = None if fed.original is None else to_device(dict(fed.original), cpu, wait=wait)
    return fed._replace(clean=to_device(dict(fed.clean), cpu, wait=wait), original=original)


def named_batch(batch: Any) -> Any:
    """A batch object as a mapping by name: a dataclass, a named tuple, what has ``keys()``, or tensors as attributes.

    All else as it is.
    """
    if batch is None or isinstance(batch, (dict, Mapping)):  # a dict is told sooner
        return batch
    if is_dataclass(batch) and not isinstance(batch, type):
        return {each.name: getattr(batch, each.name, None) for each in fields(batch)}
    if hasattr(batch, "keys") and hasattr(batch, "__getitem__"):
        return {str(key): batch[key] for key in batch.keys()}  # noqa: SIM118  # it is no mapping
    if isinstance(batch, tuple) and hasattr(batch, "_asdict"):
        return batch._asdict()
    held = getattr(batch, "__dict__", None)
    if isinstance(held, dict) and not isinstance(batch, Tensor) and any(isinstance(v, Tensor) for v in held.values()):
        return {name: value for name, value in held.items() if not name.startswith("_")}
    return batch


def _without_graph(batch: Batch, whole: set[Any]) -> Batch:
    """Embeddings that are part of the graph would keep all of it alive for some steps.

    ``whole``: names of whole numbers, which have no graph; they are noted here, and not looked at again.
    """
    if not isinstance(batch, (dict, Mapping)):
        return batch
    for name, each in batch.items():
        if name in whole or not isinstance(each, Tensor):
            continue
        if each.requires_grad:
            break
        if not (each.is_floating_point() or each.is_complex()):
            whole.add(name)
    else:
        return batch
    return {name: each.detach() if isinstance(each, Tensor) else each for name, each in batch.items()}


class RecentBatches:
    """References, no copies: a batch in place stays in place.

    Attributes:
        steps: the last few, each as its number and its micro-batches.
    """

    def __init__(self) -> None:
        self.steps: deque[tuple[int, list[MicroBatch]]] = deque(maxlen=_STEPS)
        self._open: list[MicroBatch] = []
        self._whole: set[Any] = set()

    def add(self, fed: MicroBatch) -> None:
        """One micro-batch of the step that is not closed yet."""
        if len(self._open) < _MICRO_BATCHES:
            clean = _without_graph(fed.clean, self._whole)
            self._open.append(fed if clean is fed.clean else fed._replace(clean=clean))

    def close(self, step: int) -> None:
        """What was added since the last call belongs to this step."""
        if self._open:
            self.steps.append((step, self._open))
            self._open = []

    def latest(self) -> list[MicroBatch]:
        """The micro-batches of the step that is open, or else of the last one."""
        return self._open or (self.steps[-1][1] if self.steps else [])

    def again(self, fed: MicroBatch) -> None:
        """Have one at hand that may have been let go: what is wrong with it is said some steps later."""
        if fed.step is not None and all(number != fed.step for number, _ in self.steps):
            self.steps.append((fed.step, [fed]))

    def at(self, step: int) -> list[MicroBatch]:
        """The micro-batches of a step, or of the nearest that is at hand: ``MicroBatch.step`` says which."""
        if not self.steps:
            return []
        # The latest of several: after a rollback steps come again.
        number, found = min(reversed(self.steps), key=lambda each: abs(each[0] - step))
        return [fed._replace(step=number) for fed in found]
