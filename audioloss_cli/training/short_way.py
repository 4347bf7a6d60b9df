"""The short way of a step at which nothing happens: on the CPU, with a loss that looks calm.

It costs a few comparisons, creates next to nothing and calls as little as can be: between two training steps no code is
in a cache, so that every function that is entered costs more than what it does. Whatever is unusual goes the long way,
and both come to the same points.
"""

from collections.abc import Mapping
from time import time
from typing import Any

from torch import Tensor

from audioloss_cli.training.calm import Calm
from audioloss_cli.training.examine import Examiner
from audioloss_cli.training.late_scalar import CODEBOOKS
from audioloss_cli.training.places import NO_PLACES, Places, places_of
from audioloss_cli.training.recent import RecentBatches


class ShortWay:
    """From the arguments of ``AudioLossGuard.step`` to what waits, if nothing speaks against it."""

    __slots__ = ("_calm", "_examiner", "_places", "_recent")

    def __init__(self, calm: Calm, recent: RecentBatches, examiner: Examiner) -> None:
        self._calm, self._recent, self._examiner = calm, recent, examiner
        self._places: Places = NO_PLACES

    def take(self, step: int, loss: Any, batch: Any, outputs: Any, original: Any) -> bool:
        """Whether the step was taken in; if not, nothing was done, and it goes the long way."""
        values = None
        if outputs is not None:
            loss, values = self._read(loss, batch, outputs)
        if type(loss) is not float:
            if type(loss) is not Tensor or not loss.is_cpu or loss.ndim:
                return False
            loss = loss.item()
        calm = self._calm
        if not calm.low <= loss <= calm.high or loss == calm.last or len(calm.waiting) >= calm.room:
            return False
        calm.last = loss
        calm.waiting.append((step, time(), loss, values))
        if batch is not None:
            self._recent.steps.append((step, ((batch, original),)))
        return True

    def _read(self, loss: Any, batch: Any, outputs: Any) -> tuple[Any, dict[str, float] | None]:
        """The audio loss, None for the long way; and all losses by name, where there are several."""
        places = self._places
        if type(outputs) is not places.kind or outputs.keys() != places.keys:
            self._places = places_of(outputs, self._examiner.layout)
            return None, None
        if places.audio or places.codebooks:
            values = self._named(places, loss, outputs)
            return (None, None) if values is None else (values["audio"], values)
        own = outputs.get("loss")
        if (loss is not None and loss is not own) or not isinstance(batch, (dict, Mapping)):
            return (own if loss is None else loss), None
        if places.text_labels and batch.get(places.text_labels) is not None:
            return None, None
        return (own if places.summed == 1 else _number(own) / places.summed), None

    def _named(self, places: Places, loss: Any, outputs: Mapping[str, Any]) -> dict[str, float] | None:
        """What ``read_losses`` finds in outputs that name the audio loss, as numbers; None for the long way."""
        values: dict[str, float] = {}
        audio: Any = outputs[places.audio] if places.audio else None
        mean = 0.0
        if places.codebooks:
            books = outputs[places.codebooks]
            if type(books) is not Tensor or not books.is_cpu or books.ndim != 1 or not len(books):
                return None
            each = books.tolist()[: len(CODEBOOKS)]
            if not min(each) >= self._calm.threshold:
                return None
            values, mean = dict(zip(CODEBOOKS, each, strict=False)), sum(each) / len(each)
        total = outputs.get("loss") if loss is None else loss
        if total is not None and total is not audio:
            values["total"] = _number(total)
        if places.text:
            values["text"] = _number(outputs[places.text])
        values["audio"] = mean if audio is None else _number(audio)
        whole = sum(values.values())
        return values if whole - whole == 0 else None


def _number(value: Any) -> float:
    """NaN where it cannot be read at once."""
    if type(value) is Tensor and value.is_cpu and not value.ndim:
        return value.item()
    return value if type(value) is float else float("nan")
