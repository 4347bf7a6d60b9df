"""What the checks of the probe say of batches as they come along in a loop, put in order.

A training on text and audio has batches of text alone, and nothing is wrong with them, though they look like batches
whose audio was lost on the way. The text tells the two apart: where it belongs to audio, it has placeholders for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.causes import diagnose
from audioloss_cli.model import Diagnosis, Finding, Severity
from audioloss_cli.probe.check import Outcome, run_checks
from audioloss_cli.probe.measure.alignment import Audio
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.model_io.adapter import Adapter
from audioloss_cli.probe.model_io.batch import as_tensor, with_tensors
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.batches.recent import Batch, MicroBatch

#: Checks whose facts are worth a note while all is well: they say how a healthy loss is to be read.
NOTES = frozenset({"special-labels"})
#: Checks that look at keys, shapes and dtypes alone: they read no value, so that they never wait for a device.
STRUCTURAL = ("missing_input", "dropped_by_trainer", "wrong_dtype", "wrong_shape", "wrong_text_shape")
_UNMASK = "Look at what the collator masks, and at the processor that makes the labels."
_LABELS = ("audio-labels", "text-labels")
_TEXT = ("text", "attention", "text-labels")
_LEARNT = ("codes", "audio-labels")
_NAMED_BY = {"missing-input": "missing", "empty-input": "empty"}  # code -> where its evidence names the fields


@dataclass
class Examination:
    """What the checks say of a step.

    Attributes:
        findings: the gravest first.
        diagnoses: root causes, the most likely first.
        notes: what could not be examined, and why.
    """

    findings: list[Finding] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def examination_of(outcomes: Sequence[Outcome], notes: list[str]) -> Examination:
    """Of the outcomes on one micro-batch; ``notes``: what could not be examined."""
    findings = grave([finding for outcome in outcomes for finding in outcome.findings])
    passed = {code: clause for outcome in outcomes for code, clause in outcome.passed.items()}
    found = {each.code for each in findings}
    return Examination(findings, diagnose(findings, {c: p for c, p in passed.items() if c not in found}), notes)


def with_noted(found: Examination, noted: Sequence[Finding]) -> Examination:
    """The same, with what was found of losses and gradients; all of it speaks for causes."""
    if not noted and not found.findings:
        return found
    # Of a total that is the text alone, one batch looks constant; what is trained was seen to have gradients elsewhere.
    known = {each.code for each in noted}
    misled = "no-audio-gradient" in known and "constant-loss" not in known
    own = [each for each in found.findings if not (misled and each.code == "constant-loss")]
    findings = grave([*noted, *own])
    if not noted and found.diagnoses:
        return found
    return Examination(findings, diagnose(findings, {}), found.notes)


def grave(findings: Sequence[Finding]) -> list[Finding]:
    """Each code once, the gravest first."""
    once: dict[str, Finding] = {}
    for each in sorted(findings, key=lambda finding: -finding.severity.rank):
        once.setdefault(each.code, each)
    return list(once.values())


def to_be_said(findings: Sequence[Finding]) -> list[Finding]:
    """Each code once: what is of at least a warning, and the facts of ``NOTES``."""
    return grave([each for each in findings if each.severity is not Severity.INFO or each.code in NOTES])


def gravity(outcomes: Sequence[Outcome]) -> int:
    """The higher, the worse a micro-batch looks."""
    return sum(4**finding.severity.rank for outcome in outcomes for finding in outcome.findings)


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
