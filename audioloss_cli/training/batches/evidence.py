"""The checks of the probe on batches as they come along in a loop."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from audioloss_cli.model import Finding, Severity
from audioloss_cli.probe.check import Outcome, run_checks
from audioloss_cli.probe.measure.alignment import Audio
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.model_io.adapter import Adapter
from audioloss_cli.probe.model_io.batch import with_tensors
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.batches.recent import Batch, MicroBatch

#: Checks that look at keys, shapes and dtypes alone: they read no value, so that they never wait for a device.
STRUCTURAL = ("missing_input", "dropped_by_trainer", "wrong_dtype", "wrong_shape", "wrong_text_shape")
_UNMASK = "Look at what the collator masks, and at the processor that makes the labels."
_LABELS = ("audio-labels", "text-labels")


def check_inputs(adapter: Adapter, fed: MicroBatch, names: tuple[str, ...] | None = None) -> list[Outcome]:
    """Of the original batch beside what was kept of it, then of what the model was given.

    Args:
        adapter: of the model's family.
        fed: a micro-batch.
        names: of the checks; all, and values are read for them, if None.
    """
    layout, clean = adapter.layout, with_labels(fed, adapter.layout)
    kept = frozenset(map(str, clean))
    outcomes = []
    if fed.original is not None:
        outcomes.append(run_checks(evidence_of(adapter, fed.original, kept, read=names is None), names))
    if fed.dropped:
        gone = Evidence(layout, {**clean, **dict.fromkeys(fed.dropped, True)}, kept=kept)
        outcomes.append(run_checks(gone, ("dropped_by_trainer",)))
    outcomes.append(run_checks(evidence_of(adapter, clean, None, read=names is None), names))
    return outcomes


def evidence_of(adapter: Adapter, batch: Batch, kept: frozenset[str] | None = None, *, read: bool = True) -> Evidence:
    """What the checks are given; ``kept``: keys that the model has seen of it; ``read``: whether values are read."""
    batch = with_tensors(batch)
    audio = _read(adapter, batch) if read else Audio()
    return Evidence(as_given(adapter.layout, batch), batch, audio, kept=kept)


def with_labels(fed: MicroBatch, layout: Layout) -> dict[str, Any]:
    """What the model was given, and the labels that a loop holds its logits against by itself.

    A model that makes its own loss, and was given some of its labels, has lost the others.
    """
    labels = {item.name for item in layout.fields if item.role in _LABELS}
    lost = fed.own_loss and any(fed.clean.get(name) is not None for name in labels)
    own = {} if lost else {name: value for name, value in (fed.original or {}).items() if name in labels}
    return {name: value for name, value in {**own, **fed.clean}.items() if value is not None}


def masked_codebooks(adapter: Adapter, fed: MicroBatch) -> list[Finding]:
    """That no label of some codebooks counts, though those of others do; of a family that samples frames, nothing."""
    audio = _read(adapter, with_tensors(with_labels(fed, adapter.layout)))
    if audio.labels is None or adapter.layout.sampled or not len(audio.labels):
        return []
    counts = (audio.labels != adapter.layout.ignore_index).sum(0).tolist()
    masked = [str(book) for book, count in enumerate(counts) if not count]
    if not masked or len(masked) == len(counts):
        return []
    said = f"no label of codebook {', '.join(masked)} counts; of the others {max(counts)} do"
    return [Finding("low-valid-fraction", Severity.CRITICAL, said, {"codebooks": masked}, advice=_UNMASK)]


def unlabelled(fed: MicroBatch) -> list[Finding]:
    """Of a family that is not known: that no label of any kind counts, where they lie on the CPU."""
    if not isinstance(fed.clean, Mapping):
        return []
    labels = {
        name: value
        for name, value in fed.clean.items()
        if "label" in str(name).lower() and isinstance(value, Tensor) and not value.is_floating_point()
    }
    if not labels or any(not each.is_cpu or not each.numel() or bool((each >= 0).any()) for each in labels.values()):
        return []
    count = sum(each.numel() for each in labels.values())
    said = f"none of the {count} labels in {', '.join(map(str, labels))} counts: all are below 0"
    return [Finding("all-masked", Severity.CRITICAL, said, advice=_UNMASK)]


def as_given(layout: Layout, batch: Batch) -> Layout:
    """Labels are not missing where the model is given none at all: a loop that computes its loss keeps them."""
    if any(batch.get(item.name) is not None for item in layout.fields if item.role in _LABELS):
        return layout
    fields = tuple(replace(item, required=item.required and item.role not in _LABELS) for item in layout.fields)
    return replace(layout, fields=fields)


def _read(adapter: Adapter, batch: Mapping[str, Any]) -> Audio:
    """Audio that cannot be read is absent: the checks of shape say why."""
    try:
        return read_audio(adapter, batch)
    except (RuntimeError, IndexError, TypeError, ValueError):
        return Audio()
