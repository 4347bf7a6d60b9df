"""A model called as a trainer calls it: with the text labels too, and with an eye on the loss of the whole."""

from typing import Any

from torch import Tensor

from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.model_io.adapter import Batch, Model, field_of
from audioloss_cli.probe.model_io.signature import accepted, unwrapped

_IGNORED = -100  # by the losses of text, whatever that of the audio ignores


class AsTrained:
    """Adds the labels to each call, and keeps the ``loss`` of the last output in ``total``."""

    def __init__(self, model: Model, labels: Batch) -> None:
        self._orig_mod = model  # the name under which a compiled model keeps its own: adapters look through it
        self.labels = labels
        self.total: Tensor | None = None

    def __call__(self, **inputs: Any) -> Any:
        """What the model gives for the inputs and the labels."""
        output = self._orig_mod(**{**self.labels, **inputs})
        found = field_of(output, "loss")
        self.total = found if isinstance(found, Tensor) else None
        return output


def text_labels(evidence: Evidence, model: Model, batch: Batch) -> Batch:
    """Those that the model takes; none that would break the device."""
    item, takes = evidence.layout.named("text-labels"), accepted(unwrapped(model))
    ids = evidence.batch.get(item.name) if item is not None else None
    if item is None or not isinstance(ids, Tensor) or (takes is not None and item.name not in takes):
        return {}
    size = evidence.layout.text_vocab_size
    bad = (ids < 0) & (ids != _IGNORED) if size is None else (ids != _IGNORED) & ((ids < 0) | (ids >= size))
    return {} if bool(bad.any()) else {item.name: batch[item.name]}
