"""What a Trainer's model is given at each step, and what it gives: a hook on the model sees both.

A mixin that knows the loss that is trained brings it after the forward pass; what the hook read waits for it. Which
columns the Trainer removed before, its collator tells.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accelerate.state import AcceleratorState  # type: ignore[import-untyped]
from torch import Tensor, is_grad_enabled
from torch.compiler import is_compiling

from audioloss_cli.training.batches.recent import micro_batch, named_batch
from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.integrations.compiled import between_graphs
from audioloss_cli.training.losses.read import own_loss_of
from audioloss_cli.training.losses.trained_loss import OwnLoss
from audioloss_cli.training.transport.scalar_layout import BOUND, PART

# Over how many items the model's own loss is a sum, divided by that; it is not of the batch.
_COUNT = "num_items_in_batch"


class ForwardHook:
    """From forward passes to the guard.

    Attributes:
        original: the batch before anything was filtered from it, if a mixin shows it.
        waits_for_loss: whether a mixin will bring the loss that is trained.
        named: whether the outputs say which loss is that of the audio.
        had_loss: whether any loss was found so far.
        own_loss: whether the model made a loss of the last batch.
        processes: those over which the model's own loss is a sum where it is told the number of items of a step.
        own: which of the passes gave the loss that is trained, if a mixin asks.
    """

    def __init__(self, guard: AudioLossGuard) -> None:
        self._guard = guard
        self.original: Mapping[str, Any] | None = None
        self.waits_for_loss = self.named = self.had_loss = self.own_loss = False
        self.processes = 1
        self.own = OwnLoss()
        self._pending: list[tuple[dict[str, Any], set[str]]] = []
        self._collator: WatchedCollator | None = None
        self._handle: Any = None
        self._model: Any = None

    def attach(self, model: Any, loader: Any) -> None:
        """To the model; and to the loader's collator, if that removes columns. ``model``: None to leave it alone."""
        self.let_go()  # of a training that was ended by an exception
        self._guard.pipeline.begin()
        self._pending.clear()
        self._model, self.own.processes = model, self.processes
        if model is not None:
            self._handle = model.register_forward_hook(self._after_forward, with_kwargs=True)
        self._collator = watch_collator(loader)

    def let_go(self) -> None:
        """Of the model and of the collator."""
        if self._handle is not None:
            self._handle.remove()
        if self._collator is not None:
            self._collator.let_go()
        self.own.let_go()
        self._handle = self._collator = self._model = None

    @property
    def dropped(self) -> tuple[str, ...]:
        """Columns that the Trainer removed before the collator, as far as they are known."""
        return () if self._collator is None else self._collator.dropped

    def _after_forward(self, module: Any, args: Any, kwargs: Mapping[str, Any], outputs: Any) -> None:
        if is_compiling():
            self._between_graphs(module, args, kwargs, outputs)
            return
        guard = self._guard
        # Without gradients it is no pass that is trained: of a reference, of what is sampled, of a metric.
        if not module.training or guard.examiner.busy or not is_grad_enabled():
            return
        if self.own.passes is not None:
            self.own.see(outputs)
        given = named_batch(args[0]) if args and not kwargs else kwargs
        self._take_in(dict(given) if isinstance(given, (dict, Mapping)) else {}, outputs)

    @between_graphs
    def _between_graphs(self, *given: Any) -> None:
        """For a compiled model."""
        self._after_forward(*given)

    def _take_in(self, batch: dict[str, Any], outputs: Any) -> None:
        """The batch and the losses of one pass."""
        pipeline, self.own_loss = self._guard.pipeline, own_loss_of(outputs) is not None
        is_part = batch.get(_COUNT) is not None
        given = {name: value for name, value in batch.items() if name != _COUNT} if _COUNT in batch else batch
        dropped = () if self._collator is None else self._collator.dropped
        pipeline.show(micro_batch((given, self.original, dropped, None, self.own_loss)))
        values = pipeline.read(None, outputs, batch)
        self.had_loss, self.named = self.had_loss or bool(values), pipeline.reader.presence.named
        parts: set[str] = set(values.own) if is_part else set()
        if self.processes > 1:  # not in place, which is what the Trainer does to the model's
            values.update({name: _detached(values[name]) * self.processes for name in parts})
        if self.waits_for_loss:
            self._pending.append((values, parts))
        else:
            # Copied, for they are read after the optimiser's step: one of CUDA graphs puts others in their place.
            pipeline.feed(values, parts, copy=True)

    def step(self, trainer: Any, model: Any, step: Callable[[], Any]) -> Any:
        """A training step of a Trainer whose ``compute_loss`` may give another loss than the model's; see ``own``."""
        if self._model is None:
            self.own.place = None
            return step()
        if model is not self._model:
            self.own.wrap(model)
        return self.own.step(trainer, model, step)

    def trained(self, loss: Any, *, custom: bool, place: int = -1) -> None:
        """The loss of a micro-batch as it was trained, divided by the accumulation.

        Args:
            loss: what was trained.
            custom: whether it is not the model's own.
            place: of the pass whose own loss it is, counted from the last one.
        """
        values, parts = self._pending[place] if len(self._pending) >= -place else ({}, set())
        named = bool(self._pending) and self.named
        self._pending.clear()
        if named and custom:
            values, parts = {**values, "total": loss}, {*parts, "total"}
        elif custom or not values:
            values, parts = {**values, "audio": loss, PART: loss, BOUND: loss}, {*parts, "audio", PART, BOUND}
        self.had_loss = True
        self._guard.pipeline.feed(values, parts, copy=True)


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def processes_of_a_sum(args: Any, model: Any) -> int:
    """By how much such a loss is multiplied; as ``Trainer.compute_loss`` does it.

    Args:
        args: ``TrainingArguments``.
        model: the one that is trained, unwrapped.
    """
    if not args.average_tokens_across_devices:
        return 1
    return int(args.world_size) // _with_the_same_batch(args, model)


def _with_the_same_batch(args: Any, model: Any) -> int:
    """Processes of tensor parallelism; as ``Trainer.get_tp_size``."""
    own = getattr(model, "_tp_size", None)
    if own is not None:
        return int(own)
    deepspeed = getattr(args, "hf_deepspeed_config", None)
    if deepspeed is not None:
        return int(deepspeed.config.get("tensor_parallel", {}).get("autotp_size", 1))
    config = getattr(AcceleratorState(), "parallelism_config", None)
    return 1 if config is None else int(config.tp_size)


class WatchedCollator:
    """Stands before a collator that removes columns, and notes their names; it adds nothing to a batch.

    With worker processes of a DataLoader the names stay in the worker: nothing is known then.

    Attributes:
        dropped: names of columns that the collator's features had and the batch has not.
    """

    def __init__(self, loader: Any, collator: Any) -> None:
        self._loader, self._collator = loader, collator
        self.dropped: tuple[str, ...] = ()

    def __call__(self, features: Sequence[Any]) -> Any:
        """What the collator makes of them."""
        if not self.dropped:
            kept = set(self._collator.signature_columns)
            names = {str(key) for each in features[:1] if isinstance(each, Mapping) for key in each}
            self.dropped = tuple(sorted(names - kept))
        return self._collator(features)

    def __getstate__(self) -> dict[str, Any]:
        """For a worker process, without the loader that starts it."""
        return {"_loader": None, "_collator": self._collator, "dropped": self.dropped}

    def let_go(self) -> None:
        """Put the collator back in its place."""
        if getattr(self._loader, "collate_fn", None) is self:
            self._loader.collate_fn = self._collator


def watch_collator(loader: Any) -> WatchedCollator | None:
    """Watch the collator of a loader, if it is one that removes columns (``transformers.RemoveColumnsCollator``)."""
    loader = getattr(loader, "base_dataloader", loader)  # Accelerate's loader hands on what is read, not what is set
    collator = getattr(loader, "collate_fn", None)
    if not hasattr(collator, "signature_columns"):
        return None
    watched = WatchedCollator(loader, collator)
    loader.collate_fn = watched
    return watched
