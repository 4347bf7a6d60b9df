"""What a Trainer's model is given at each step, and what it gives: a hook on the model sees both.

A mixin that knows the loss that is trained brings it after the forward pass; what the hook read waits for it.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.training.collator import WatchedCollator, watch_collator
from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.recent import Fed


class ForwardHook:
    """From forward passes to the guard.

    Attributes:
        original: the batch before anything was filtered from it, if a mixin shows it.
        waits_for_loss: whether a mixin will bring the loss that is trained.
        named: whether the outputs say which loss is that of the audio.
        had_loss: whether any loss was found so far.
        processes: those over which the model's own loss is a sum where it is told the number of items of a step.
        accumulates: whether a step may have several micro-batches.
    """

    def __init__(self, guard: AudioLossGuard) -> None:
        self._guard = guard
        self.original: Mapping[str, Any] | None = None
        self.waits_for_loss = self.named = self.had_loss = False
        self.processes, self.accumulates = 1, False
        self._pending: list[tuple[dict[str, Any], set[str]]] = []
        self._collator: WatchedCollator | None = None
        self._handle: Any = None

    def attach(self, model: Any, loader: Any) -> None:
        """To the model; and to the loader's collator, if that removes columns. ``model``: None to leave it alone."""
        self.let_go()  # of a training that was ended by an exception
        if model is not None:
            self._handle = model.register_forward_hook(self._after_forward, with_kwargs=True)
        self._collator = watch_collator(loader)

    def let_go(self) -> None:
        """Of the model and of the collator."""
        if self._handle is not None:
            self._handle.remove()
        if self._collator is not None:
            self._collator.let_go()
        self._handle = self._collator = None

    @property
    def dropped(self) -> tuple[str, ...]:
        """Columns that the Trainer removed before the collator, as far as they are known."""
        return () if self._collator is None else self._collator.dropped

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # a compiled model calls it between its graphs
    def _after_forward(self, module: Any, args: Any, kwargs: Mapping[str, Any], outputs: Any) -> None:
        if not module.training or self._guard.examiner.busy:
            return
        batch = dict(kwargs)
        summed = batch.pop("num_items_in_batch", None) is not None
        self._guard.show(Fed(batch, self.original, self.dropped))
        values = self._guard.read(None, outputs, batch)
        self.had_loss, self.named = self.had_loss or bool(values), values.named
        parts = set(values.own) if summed else set[str]()
        if self.processes > 1:  # not in place, which is what the Trainer does to the model's
            values.update({name: _detached(values[name]) * self.processes for name in parts})
        if self.waits_for_loss:
            self._pending.append((values, parts))
        else:
            self._feed(values, parts)

    def trained(self, loss: Any, *, custom: bool) -> None:
        """The loss of a micro-batch as it was trained, divided by the accumulation; ``custom``: not the model's own."""
        values, parts = self._pending[-1] if self._pending else ({}, set())
        named = bool(self._pending) and self.named
        self._pending.clear()
        if named:
            values, parts = {**values, "total": loss}, {*parts, "total"}
        elif custom or not values:
            values, parts = {**values, "audio": loss}, {*parts, "audio"}
        self.had_loss = True
        self._feed(values, parts)

    def _feed(self, values: dict[str, Any], parts: set[str]) -> None:
        self._guard.feed(values, parts, copy=self.accumulates)


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value
