"""What a step of Lightning tells: losses that it returned or logged, and what the model inside was given."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, is_grad_enabled
from torch.compiler import is_compiling

from audioloss_cli.training.batches.recent import named_batch
from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.integrations.compiled import between_graphs
from audioloss_cli.training.losses.outputs import number_of
from audioloss_cli.training.losses.read import names_audio
from audioloss_cli.training.losses.trained_loss import audio_name

_LOOKS = 3  # batches after which what was not logged never will be


class LightningLosses:
    """An audio loss that is logged at each batch is preferred to a returned loss without a name, which may hold more.

    One that is logged now and then is a series of its own: between two of its values, the old one says nothing.

    Args:
        guard: reads outputs that name their losses.
    """

    def __init__(self, guard: AudioLossGuard) -> None:
        self._guard = guard
        self.start()

    def start(self) -> None:
        """A fit begins."""
        self._name, self._looks, self._steady = "", _LOOKS, True
        self._before: Any = None

    def epoch(self, trainer: Any) -> None:
        """Before the first batch of an epoch: the mean of the one before may have taken the place of the last value."""
        self._before = _logged_values(trainer).get(self._name)

    def of(self, trainer: Any, outputs: Any, batch: Any) -> dict[str, Any] | None:
        """By name; None where nothing is known of this batch, as its loss is only logged now and then."""
        named = outputs if isinstance(outputs, (dict, Mapping)) else {"loss": outputs}
        # Lightning divides the loss, and nothing else. Its last step of an epoch may hold fewer batches than it divides
        # by, so that the sum over them would be too small.
        whole = _times(named.get("loss"), trainer.accumulate_grad_batches)
        many = isinstance(whole, Tensor) and whole.numel() != 1  # of a manual optimisation; it is said, and left alone
        alone = len(named) == 1 and "loss" in named
        if (not alone and names_audio(named)) or self._guard.pipeline.reader.presence.named or many:
            named_inputs = named_batch(batch)
            given = named_inputs if isinstance(named_inputs, (dict, Mapping)) else None
            return self._guard.pipeline.read(None, {**named, "loss": whole}, given)
        loss = whole if isinstance(whole, (Tensor, float)) else None
        logged = self._logged(trainer)
        if self._name and (self._steady or loss is None):
            return _both(logged, loss, at_once=self._guard.pipeline.arrivals.at_once)
        beside = {} if logged is None else {"logged": logged}
        return {**beside, **({} if loss is None else self._guard.pipeline.read(loss))}

    def _logged(self, trainer: Any) -> Any:
        """What was logged in this batch; found by name in the first ones, for to look at each would cost too much."""
        metrics = _logged_values(trainer) if self._looks or self._name else {}
        self._name = self._name or (audio_name(metrics) if self._looks else "")
        value, before = metrics.get(self._name), self._before
        self._before = value  # as long as it is held, no other value can lie at its place
        fresh = value is not None and (before is None or value.data_ptr() != before.data_ptr())
        if self._looks:
            self._looks -= 1
            self._steady = self._steady and fresh
        return value if fresh else None


def _logged_values(trainer: Any) -> Mapping[str, Any]:
    """The last value of what is logged at each step, by name.

    ``callback_metrics`` is the public way to it, and takes twice as long: it goes through all that is logged, and waits
    for the device to have a number for the progress bar.
    """
    try:
        each = [metric for metric in trainer._results.values() if metric.meta.on_step and not metric.has_reset]
        return {metric.meta.name: metric._forward_cache for metric in each}
    except AttributeError:  # not those of Lightning 2.6
        found: Mapping[str, Any] = trainer.callback_metrics
        return found


def _times(loss: Any, count: int) -> Any:
    return loss.detach() * count if isinstance(loss, Tensor) and count > 1 else loss


def _both(logged: Any, loss: Any, *, at_once: bool = False) -> dict[str, Any] | None:
    """A returned loss that is not finite speaks, whatever was logged, without a wait for a device.

    ``at_once``: whether numbers that lie on the CPU may be read.
    """
    if loss is None:
        return None if logged is None else {"audio": logged}
    if logged is None:
        return {"total": loss}
    if at_once:
        number, total = number_of(logged), number_of(loss)
        if type(number) is float and type(total) is float:
            return {"audio": number if math.isfinite(total) else total, "total": total}
    # A number is written by the device itself; to copy it there would make the host wait.
    given = loss.detach() if isinstance(loss, Tensor) else torch.full((), loss, device=logged.device)
    # To the device, if one of them is there: on the host the other would be read before it has come.
    far = logged.device if given.is_cpu else given.device
    given, logged = given.to(far, non_blocking=True), logged.to(far, non_blocking=True)
    audio = torch.where(torch.isfinite(given), logged, given.to(logged.dtype))
    return {"audio": audio, "total": loss}


class ModelInputs:
    """A hook on the model, for frameworks that show the batch alone."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None
        self._handle: Any = None

    def attach(self, model: Any, module: Any) -> None:
        """To the ``model``, if it is not the ``module`` itself, whose training step is given the batch."""
        self.let_go()
        if model is not module:
            self._handle = model.register_forward_pre_hook(self._before_forward, with_kwargs=True)

    def let_go(self) -> None:
        """Of the model."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = self._last = None

    def _before_forward(self, model: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if is_compiling():
            self._between_graphs(model, args, kwargs)
        elif model.training and is_grad_enabled():
            self._last = None if args else kwargs  # what stands without a name may be anything

    @between_graphs
    def _between_graphs(self, *given: Any) -> None:
        """For a compiled model."""
        self._before_forward(*given)

    def pair(self, batch: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """What the model was given since the last call, as far as that is known, and the batch before."""
        given, self._last = self._last, None
        return (batch, None) if given is None else (given, batch)
