"""The short way of a step at which nothing happens: on the CPU, with a loss that looks calm.

It costs a few comparisons, creates next to nothing and calls as little as can be: between two training steps no code is
in a cache, so that every function that is entered costs more than what it does. Whatever is unusual goes the long way,
and both come to the same points.
"""

from collections.abc import Callable, Collection, Mapping
from time import time
from typing import Any

from torch import Tensor

from audioloss_cli.model import Alert
from audioloss_cli.training.arrivals import Arrivals
from audioloss_cli.training.calm import Parts, named
from audioloss_cli.training.inputs import FirstLooks
from audioloss_cli.training.long_way import LongWay
from audioloss_cli.training.places import NO_PLACES, places_of
from audioloss_cli.training.read_short import read_short, with_norm
from audioloss_cli.training.recent import Fed
from audioloss_cli.training.respond import Responder
from audioloss_cli.training.watch import Watch

_Batch = Mapping[str, Any]
#: In the place of a step: look at the losses only, ``keep`` or ``close`` comes later. It is no step itself.
LATER: Any = object()
_STEPS = 1 << 63  # beyond 64 bits it is an error, which the long way raises


class ShortWay(LongWay):
    """The door of a loop, with a short way beside the long one.

    Attributes:
        glanced: of a step that is not closed yet, and has gone the short way so far: its audio loss and what stands
            beside it, its batch and the original one; None for others.
        as_fed: what makes a micro-batch of these two.
    """

    def __init__(self, watch: Watch, responder: Responder, looks: FirstLooks, arrivals: Arrivals) -> None:
        super().__init__(watch, responder, looks, arrivals)
        # Here, for an attribute that shadows one of the class is found more slowly.
        self._places, self._plain = NO_PLACES, NO_PLACES.plain
        self.glanced: tuple[float, Parts | None, _Batch | None, _Batch | None] | None = None
        self.as_fed: Callable[[_Batch, _Batch | None], Fed] = Fed

    def step(  # noqa: C901, PLR0912  # one function: a call between two steps costs as much as what it does
        self,
        loss: Any = None,
        batch: Mapping[str, Any] | None = None,  # not keyword-only: Python finds those defaults in a dict, each anew
        outputs: Any = None,
        step: int | None = None,
        original: Mapping[str, Any] | None = None,
        grad_norm: Any = None,
        sync_gradients: bool = True,
    ) -> list[Alert]:
        """Take in one batch; return the alerts that were raised, most often none.

        Args:
            loss: the audio loss, or the total where the outputs tell the two apart (see ``losses``); a tensor is fine.
            batch: what the model was given.
            outputs: what the model gave, a mapping or an object: ``audio_loss``, codebook losses, ``loss``, logits,
                whichever it has.
            step: the training step; counted from 1 if None.
            original: the batch as the collator made it, if something is filtered on the way to the model.
            grad_norm: of this step, if it is known.
            sync_gradients: whether an optimiser step ends here; False for all but the last micro-batch of an
                accumulation (Accelerate's ``accelerator.sync_gradients``).

        Raises:
            AudioLossError: the policy asks for it.
            TypeError: the loss is not one number, or the step not a whole one.
        """
        number = self._step + 1 if step is None else step
        if self._open and sync_gradients and grad_norm is None:
            value, parts, books = loss, None, 1
            try:
                if outputs is not None:
                    kind, fields, text_labels, codebooks = self._plain
                    if (
                        type(outputs) is kind  # the commonest, and no function for them
                        and len(held := outputs.__dict__) == fields
                        and type(batch) is dict
                        and text_labels not in batch
                    ):
                        own = held["loss"]
                        if loss is own or loss is None:
                            value, books = own, codebooks
                    elif type(outputs) is (places := self._places).kind and tuple(outputs) == places.keys:
                        value, parts = read_short(places, loss, batch, outputs, self._calm.threshold)
                    else:
                        self._places = places_of(outputs, self.examiner.layout, named=self.presence.named)
                        value = None
                        self._plain = self._places.plain
                if type(value) is Tensor and value.get_device() < 0:  # on the CPU
                    value = value.item()
            except RuntimeError:  # a tensor that is no number
                value = None
            calm = self._calm
            if type(value) is float:
                value = value / books
                if calm.low <= value <= calm.high and value != calm.last:
                    if number is LATER:
                        self.glanced = (value, parts, batch, original)
                        self._open = False  # until it is kept
                        self._batches += 1
                        return []
                    if type(number) is int and 0 <= number < _STEPS:
                        now = time()
                        self._batches += 1
                        calm.waiting.append((number, now, value, parts))
                        calm.last, self._step = value, number
                        if len(calm.waiting) <= calm.room and now < calm.due:
                            return []
                        return self._hand_over(number, batch, original)
        if number is LATER:
            return []
        self.collect(loss, batch=batch, outputs=outputs, original=original, copy=not sync_gradients)
        return self.close(step, grad_norm=grad_norm) if sync_gradients else []

    def begin(self) -> None:
        """A training begins."""
        self.glanced = None
        super().begin()

    def keep(self, step: int, grad_norm: Any = None) -> bool:
        """Close a step that was glanced at, if no more is to be done; else it is left to ``close``."""
        calm, now = self._calm, time()
        if self.glanced is None or len(calm.waiting) >= calm.room or now >= calm.due:
            return False
        value, parts, _, _ = self.glanced
        if not calm.low <= value <= calm.high:  # something was handed over since
            return False
        if grad_norm is not None and (parts := with_norm(parts, grad_norm)) is None:
            return False
        calm.waiting.append((step, now, value, parts))
        calm.last, self._step = value, step
        self.glanced, self._open = None, True
        return True

    def close(self, step: int | None = None, *, grad_norm: Any = None) -> list[Alert]:
        """An optimiser step ends; see ``step``."""
        self._go_long()
        return super().close(step, grad_norm=grad_norm)

    def show(self, fed: Fed) -> None:
        """A micro-batch that goes the long way, and before it any that does after all."""
        self._go_long()
        super().show(fed)

    def feed(self, values: dict[str, Any], summed: Collection[str] = (), *, copy: bool = False) -> None:
        """The losses of one that goes the long way."""
        self._go_long()
        super().feed(values, summed, copy=copy)

    def take_back(self) -> dict[str, Any]:
        """What was glanced at, for ``feed``; its batch is shown.

        Raises:
            ValueError: there is nothing.
        """
        if self.glanced is None:
            raise ValueError("nothing was glanced at")
        (value, parts, batch, original), self.glanced = self.glanced, None
        if batch is not None:
            super().show(self.as_fed(batch, original))
        return named(value, parts)

    def _go_long(self) -> None:
        if self.glanced is not None:
            super().feed(self.take_back())

    def _hand_over(self, step: int, batch: _Batch | None, original: _Batch | None) -> list[Alert]:
        """All that waits; of the batches of other steps none is kept: that would cost as much as all the rest of it.

        So this is the chance to look at one.
        """
        if batch is not None:
            self._recent.add(self.as_fed(batch, original))
            self._recent.close(step)
        return self._handled([*self._look(step, {}), *self._watch.drain()])
