"""The short way of a step at which nothing happens: on the CPU, with a loss that looks calm.

It costs a few comparisons, creates next to nothing and calls as little as can be: between two training steps no code is
in a cache, so that every function that is entered costs more than what it does. Whatever is unusual goes the long way,
and both come to the same points.
"""

from collections.abc import Mapping
from time import time
from typing import Any

from torch import Tensor

from audioloss_cli.records import Alert
from audioloss_cli.training.calm import Parts
from audioloss_cli.training.late_scalar import CODEBOOKS
from audioloss_cli.training.long_way import LongWay
from audioloss_cli.training.places import NO_PLACES, Places, places_of


class ShortWay(LongWay):
    """The door of a loop, with a short way beside the long one."""

    _places: Places = NO_PLACES

    def step(
        self,
        loss: Any = None,
        *,
        step: int | None = None,
        batch: Mapping[str, Any] | None = None,
        outputs: Any = None,
        original: Mapping[str, Any] | None = None,
        grad_norm: Any = None,
        sync_gradients: bool = True,
    ) -> list[Alert]:
        """Take in one batch; return the alerts that were raised, most often none.

        Args:
            loss: the audio loss, or the total where the outputs tell the two apart (see ``losses``); a tensor is fine.
            step: the training step; counted from 1 if None.
            batch: what the model was given.
            outputs: what the model gave, a mapping or an object: ``audio_loss``, codebook losses, ``loss``, logits,
                whichever it has.
            original: the batch as the collator made it, if something is filtered on the way to the model.
            grad_norm: of this step, if it is known.
            sync_gradients: whether an optimiser step ends here; False for all but the last micro-batch of an
                accumulation (Accelerate's ``accelerator.sync_gradients``).

        Raises:
            AudioLossError: the policy asks for it.
            TypeError: the loss is not one number, or the step not a whole one.
        """
        if self._open and sync_gradients and grad_norm is None:
            number = self._step + 1 if step is None else step
            value, parts, summed = loss, None, 1
            if outputs is not None:  # the commonest kind here, all others in a function
                places = self._places
                if (
                    type(outputs) is places.plain
                    and tuple(outputs) == places.keys
                    and type(batch) is dict
                    and batch.get(places.text_labels) is None
                ):
                    own = outputs.loss
                    if loss is None or loss is own:
                        value, summed = own, places.summed
                else:
                    value, parts = self._read_short(loss, batch, outputs)
            if type(value) is Tensor and value.is_cpu and not value.ndim:
                value = value.item()
            calm = self._calm
            if type(value) is float and type(number) is int and len(calm.waiting) < calm.room:
                value = value / summed
                if calm.low <= value <= calm.high and value != calm.last:
                    calm.last = value
                    calm.waiting.append((number, time(), value, parts))
                    self._step = number
                    if batch is not None:
                        self._recent.steps.append((number, batch, original))
                    return []
        self.collect(loss, batch=batch, outputs=outputs, original=original)
        return self.close(step, grad_norm=grad_norm) if sync_gradients else []

    def _read_short(self, loss: Any, batch: Any, outputs: Any) -> tuple[Any, Parts | None]:
        """The audio loss, None for the long way; and the others, where there are several."""
        places = self._places
        if type(outputs) is not places.kind or tuple(outputs) != places.keys:
            self._places = places_of(outputs, self.examiner.layout)
            return None, None
        if places.audio or places.codebooks:
            return _named(places, loss, outputs, self._calm.threshold)
        own = outputs.get("loss")
        if (loss is not None and loss is not own) or not isinstance(batch, (dict, Mapping)):
            return (own if loss is None else loss), None
        if places.text_labels and batch.get(places.text_labels) is not None:
            return None, None
        return (own if places.summed == 1 else _number(own) / places.summed), None


def _named(places: Places, loss: Any, outputs: Mapping[str, Any], threshold: float) -> tuple[Any, Parts | None]:
    """What ``read_losses`` finds in outputs that name the audio loss, as numbers; None for the long way."""
    audio: Any = outputs[places.audio] if places.audio else None
    total = outputs.get("loss") if loss is None else loss
    total = None if total is None or total is audio else _number(total)
    text = _number(outputs[places.text]) if places.text else None
    books: list[float] = []
    if places.codebooks:
        each = outputs[places.codebooks]
        if type(each) is not Tensor or not each.is_cpu or each.ndim != 1 or not len(each):
            return None, None
        books = each.tolist()[: len(CODEBOOKS)]
        if not min(books) >= threshold:
            return None, None
    value = sum(books) / len(books) if audio is None else _number(audio)
    whole = value + sum(books) + (total or 0.0) + (text or 0.0)
    return (value, (books, total, text)) if whole - whole == 0 else (None, None)


def _number(value: Any) -> float:
    """NaN where it cannot be read at once."""
    if type(value) is Tensor and value.is_cpu and not value.ndim:
        return value.item()
    return value if type(value) is float else float("nan")
