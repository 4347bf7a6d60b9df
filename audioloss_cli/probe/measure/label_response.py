"""Change the labels and look at the loss that the model returns: what of the audio is in it, and at which offset."""

import inspect
import math
from itertools import product
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.measure.alignment import real_codes, shifted
from audioloss_cli.probe.measure.as_trained import AsTrained, text_labels
from audioloss_cli.probe.measure.evidence import Evidence, LabelResponse
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, Model, Output
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.probe.model_io.signature import unwrapped

_OFFSETS = (0, 1, 2)
_EXACT, _FLOOR = 1e-3, 2e-5  # of a difference of two losses in float32
_FEWEST = 16


class LabelChange:
    """Other labels for a batch, and what they must do to a loss that holds the logits against them at some offset.

    Args:
        evidence: of the batch.
        output: of the first pass; its logits are read here, and not kept.
        step: by how many ids each real code is moved.
    """

    def __init__(self, evidence: Evidence, output: Output, step: int) -> None:
        labels, layout = evidence.audio.labels, evidence.layout
        assert labels is not None  # noqa: S101  # usable() saw it
        codes = (labels != layout.ignore_index) & real_codes(labels, layout)
        ids = _real_ids(layout, output)
        self.labels = torch.where(codes, (labels + max(step % ids, 1)) % ids, labels)
        self.expected = _expected(evidence, output, self.labels)


def label_response(
    evidence: Evidence, adapter: Adapter, model: Model, batch: Batch, changes: list[LabelChange]
) -> LabelResponse | None:
    """What the loss that the model returns makes of other audio labels; None if nothing can be said.

    Args:
        evidence: of the first pass, whose ``total`` or ``reported`` is the loss.
        adapter: of the model family.
        model: in eval mode.
        batch: on its device.
        changes: of the labels, two of them; the second one confirms what the first one shows.
    """
    scored = _Scored(evidence, adapter, model, batch)
    before, after = scored.before, scored.with_labels(changes[0])
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)):
        return None
    if all(abs(expected) < _FLOOR for _, expected in changes[0].expected):
        return None  # the logits favour no code, so that labels make no difference
    if after == before:
        moved = any(scored(other) not in (None, before) for other in _other_texts(evidence, batch))
        by_codes = evidence.perturbation is not None and bool(evidence.perturbation.loss_moved)
        return LabelResponse(moved=False, elsewhere=moved or by_codes, loss=before)
    offset = _offset(changes[0], after - before)
    if offset not in (None, evidence.layout.shift):
        again = scored.with_labels(changes[1])
        offset = offset if again is not None and _offset(changes[1], again - before) == offset else None
    return LabelResponse(moved=True, offset=offset, loss=before)


class _Scored:
    """The loss of the whole for a batch that is changed; ``before``: for the batch as it is."""

    def __init__(self, evidence: Evidence, adapter: Any, model: Model, batch: Batch) -> None:
        self.adapter, self.batch = adapter, batch
        self.model = AsTrained(model, {} if evidence.total is not None else text_labels(evidence, model, batch))
        known = evidence.reported if evidence.total is None else evidence.total
        self.before = self(batch) if self.model.labels else known

    def __call__(self, batch: Batch) -> float | None:
        self.model.labels = {name: batch[name] for name in self.model.labels}
        output = self.adapter.run(self.model, batch)
        found = output.loss if output.total is None else output.total
        found = found if self.model.total is None else self.model.total
        return None if found is None else float(found.float().mean())

    def with_labels(self, change: LabelChange) -> float | None:
        device = next((each.device for each in self.batch.values() if isinstance(each, Tensor)), torch.device("cpu"))
        return self(self.adapter.with_labels(self.batch, change.labels.to(device)))


def usable(evidence: Evidence, adapter: Adapter, model: Model, batch: Batch, output: Output) -> bool:
    """Whether the model is of the user's own making, gets the audio labels, and returns a loss."""
    labels, item = evidence.audio.labels, evidence.layout.named("audio-labels")
    own = not type(unwrapped(model)).__module__.startswith("transformers.")
    scored = output.total is not None or output.loss is not None or bool(text_labels(evidence, model, batch))
    if labels is None or item is None or output.logits is None or not (own and scored):
        return False
    return hasattr(adapter, "with_labels") and _takes(model, item.name) and int(_counted(evidence).sum()) >= _FEWEST


def _takes(model: Model, name: str) -> bool:
    """Whether any forward in the model names the labels: a wrapper that hands on ``**kwargs`` names nothing itself."""
    if not isinstance(model, torch.nn.Module):
        return False
    classes = {type(module) for module in model.modules()}
    return any(_names(each.forward, name) for each in classes)


def _names(forward: Any, name: str) -> bool:
    try:
        return name in inspect.signature(forward).parameters
    except (TypeError, ValueError):
        return False


def _counted(evidence: Evidence) -> Tensor:
    labels, layout = evidence.audio.labels, evidence.layout
    assert labels is not None  # noqa: S101  # usable() saw it
    return (labels != layout.ignore_index) & real_codes(labels, layout)


def _real_ids(layout: Layout, output: Output) -> int:
    """How many ids of a codebook stand for a code, as far as they come before the special ones."""
    size = layout.vocab_size or (output.logits.shape[2] if output.logits is not None else 2)
    special = [each for each in (layout.bos, layout.eos, layout.pad) if each]
    return max(min([size, *special]), 2)


def _expected(evidence: Evidence, output: Output, labels: Tensor) -> list[tuple[int, float]]:
    """Offset, and the change of the loss if it is held against the labels there: mean over codebooks, or over cells."""
    old, segments, layout = evidence.audio.labels, evidence.audio.segments, evidence.layout
    logits = output.logits
    if old is None or segments is None or logits is None:
        return []
    rows = output.rows if output.rows is not None else torch.arange(len(logits), device=logits.device)
    if (len(rows), logits.shape[1]) != old.shape:
        return []
    found = []
    for offset, groups in product(_OFFSETS, (segments, torch.zeros_like(segments))):  # some shift across segments
        was, now = (shifted(each, groups, offset, layout.ignore_index) for each in (old, labels))
        counts = (was != layout.ignore_index) & (was >= 0) & (was < logits.shape[2])
        if not bool(counts.any()):
            continue
        cells = counts.nonzero()
        row, book = rows[cells[:, 0].to(rows.device)], cells[:, 1].to(logits.device)
        here = [logits[row, book, each[counts].to(logits.device)].double().cpu() for each in (was, now)]
        gains = torch.zeros(counts.shape, dtype=torch.float64, device="cpu")
        gains[counts] = here[0] - here[1]
        by_book = gains.sum(0) / counts.sum(0)
        cells_of_mean = {int(counts.sum()), _labels_in_all(evidence) if offset == 0 else 0} - {0}
        found += [(offset, float(by_book.nanmean())), *((offset, float(gains.sum()) / n) for n in cells_of_mean)]
    return found


def _labels_in_all(evidence: Evidence) -> int:
    """How many labels of the batch's own tensor count: beside those of audio, those of text in a shared vocabulary."""
    item = evidence.layout.named("audio-labels")
    labels = evidence.batch.get(item.name) if item is not None else None
    return int((labels != evidence.layout.ignore_index).sum()) if isinstance(labels, Tensor) else 0


def _offset(change: LabelChange, difference: float) -> int | None:
    """The only offset at which the loss changes as it did, be it a mean over codebooks or their sum."""
    books = float(change.labels.shape[1])
    close = {
        offset
        for (offset, expected), scale in product(change.expected, (1.0, books))
        if abs(difference - scale * expected) <= max(_EXACT * abs(difference), _FLOOR)
    }
    return close.pop() if len(close) == 1 else None


def _other_texts(evidence: Evidence, batch: Batch) -> list[Batch]:
    """The batch with other text labels, and with other text where no placeholder stands."""
    layout, found = evidence.layout, list[Batch]()
    for role in ("text-labels", "text"):
        item = layout.named(role)
        ids = None if item is None else batch.get(item.name)
        if item is None or not isinstance(ids, Tensor) or ids.is_floating_point():
            continue
        fixed = torch.tensor([layout.ignore_index, -100, *layout.placeholder_ids], device=ids.device)
        changed = torch.where(torch.isin(ids, fixed) | (ids <= 1), ids, ids - 1)
        kept = torch.isin(changed, fixed)  # an id beside a placeholder must not become one
        found.append({**batch, item.name: torch.where(kept, ids, changed)})
    return found
