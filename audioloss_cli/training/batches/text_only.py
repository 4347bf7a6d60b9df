"""Batches of text alone: a training on text and audio has them, and nothing is wrong with them.

They look like batches whose audio was lost on the way. The text tells the two apart: where it belongs to audio, it has
placeholders for it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import Finding
from audioloss_cli.probe.model_io.adapter import Adapter, Batch
from audioloss_cli.probe.model_io.batch import as_tensor
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.batches.recent import MicroBatch

_TEXT = ("text", "attention", "text-labels")
_LEARNT = ("codes", "audio-labels")
_NAMED_BY = {"missing-input": "missing", "empty-input": "empty"}  # code -> where its evidence names the fields


def absent_audio(
    adapter: Adapter | None, fed: MicroBatch, findings: Iterable[Finding], *, doubt: bool = False
) -> list[Finding]:
    """Those of the findings that say of a batch of text alone that it has no audio.

    Where there are any, values of the text are read, for which a device is waited for.

    Args:
        adapter: of the model's family; None if it is not known.
        fed: a micro-batch.
        findings: about it.
        doubt: whether it is taken for one where the text does not tell, as that of some families.
    """
    if adapter is None:
        return []
    audio = {item.name for item in adapter.layout.fields if item.role not in _TEXT}
    absent = [each for each in findings if each.code in _NAMED_BY and _fields_of(each) <= audio]
    return absent if absent and _is_text_alone(adapter.layout, fed, doubt=doubt) else []


def _fields_of(finding: Finding) -> set[str]:
    return set(finding.evidence.get(_NAMED_BY[finding.code], ("",)))


def _is_text_alone(layout: Layout, fed: MicroBatch, *, doubt: bool) -> bool:
    """Nothing of the audio was there before, and the text awaits none."""
    original = fed.clean if fed.original is None else fed.original
    if _lost(layout, fed.clean, {*fed.dropped, *_named(original)}):
        return False
    if _has_audio(layout, fed.clean) or _has_audio(layout, original):
        return False
    field = layout.named("text")
    text, awaited = None if field is None else as_tensor(fed.clean.get(field.name)), _awaited(layout, fed.clean)
    if not awaited or not isinstance(text, Tensor):
        return doubt
    return not bool(torch.isin(text.cpu(), torch.tensor(awaited, device="cpu")).any())


def _lost(layout: Layout, clean: Batch, had: set[str]) -> bool:
    """Whether what the model needs was filtered out by its name; labels are none of it, for a loop may keep them."""
    needed = {item.name for item in layout.fields if item.required and item.role not in (*_TEXT, "audio-labels")}
    return bool((had - _named(clean)) & needed)


def _named(batch: Batch) -> set[str]:
    return {name for name, value in batch.items() if value is not None}


def has_audio(layout: Layout, fed: MicroBatch, *, read: bool) -> bool:
    """Whether a micro-batch holds audio to learn, as it was made or as the model was given it; ``read``: its mask."""
    each = [batch for batch in (fed.clean, fed.original) if isinstance(batch, Mapping)]
    return any(_has_audio(layout, batch, read=read) for batch in each)


def _has_audio(layout: Layout, batch: Batch, *, read: bool = True) -> bool:
    """Whether there is any to learn; padding alone, which a mask tells, is none."""
    field = layout.named("codes-mask")
    mask = None if field is None else as_tensor(batch.get(field.name))
    if read and isinstance(mask, Tensor) and mask.is_cpu and mask.numel() and not bool(mask.any()):
        return False
    return any(_holds(batch.get(item.name)) for item in layout.fields if item.role in _LEARNT)


def _awaited(layout: Layout, batch: Batch) -> list[int]:
    """Placeholders for audio that the batch would have to have; not those for a reference that it has."""
    reference = layout.reference
    given = reference and any(_holds(batch.get(name)) for name in (reference.codes, reference.instead))
    return [each for each in layout.placeholder_ids if not (reference and given and each == reference.token)]


def _holds(value: Any) -> bool:
    found = as_tensor(value)
    return found.numel() > 0 if isinstance(found, Tensor) else found is not None
