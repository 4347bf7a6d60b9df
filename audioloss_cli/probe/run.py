"""The whole probe: load, take batches, observe, check, diagnose."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from audioloss_cli.causes import diagnose
from audioloss_cli.model import Finding, Incident, Report, Severity, Unaudited
from audioloss_cli.probe.check import Outcome, run_checks
from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data import BatchSource, open_data
from audioloss_cli.probe.dump import write_dump
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.measure.evidence import Evidence, Logged, Weights
from audioloss_cli.probe.measure.observe import held_out_loss, learn_vocabulary, observe, prepared, read_audio
from audioloss_cli.probe.model_io.adapter import Adapter, Batch
from audioloss_cli.probe.model_io.checkpoint import LoadedModel, load_checkpoint
from audioloss_cli.probe.model_io.checkpoint.pickles import trusting
from audioloss_cli.probe.model_io.checkpoint.settings import removes_unused_columns, trained_steps
from audioloss_cli.probe.model_io.checkpoint.weights import weight_faults
from audioloss_cli.probe.model_io.choose import choose_adapter
from audioloss_cli.probe.model_io.device import choose_device, choose_dtype, memory_guard
from audioloss_cli.probe.model_io.signature import kept_by_trainer
from audioloss_cli.probe.model_io.text_only import text_only
from audioloss_cli.probe.show_layout import layout_lines

# After these the forward pass would read other memory, or kill a CUDA context.
_FATAL = ("id_out_of_range", "ignored_index_in_inputs")


class Signs(NamedTuple):
    """What speaks for causes beside a batch.

    Attributes:
        findings: of the files of the checkpoint.
        passed: code -> clause, of the checks of these files that ruled their problem out.
        incidents: of the logs.
    """

    findings: Sequence[Finding] = ()
    passed: Mapping[str, str] = MappingProxyType({})
    incidents: Iterable[Incident] = ()


_NO_SIGNS = Signs()


def probe(config: ProbeConfig, logged: Sequence[Logged] = (), signs: Signs = _NO_SIGNS) -> Report:
    """Load a checkpoint, run batches through it, and say what is wrong with its audio loss and why.

    Args:
        config: what to probe.
        logged: what a log says about the audio loss of this run.
        signs: what else speaks for causes.

    Returns:
        A report with findings, diagnoses and notes.

    Raises:
        UsageError: the configuration makes no sense.
        UnreadableError: the checkpoint or the data cannot be read.
        EnvironmentalError: a device, memory or a package is missing.
    """
    device, note, loaded, source = _opened(config)
    adapter, name = _chosen(config, loaded, source.batches[0])
    seen = _observed(config, loaded, source, adapter, device, logged)
    outcome = merge([run_checks(evidence) for evidence in seen])
    notes = [f"{loaded.kind}, adapter {name}; {source.kind}", note, *loaded.notes, *source.notes]
    report = Report(config.gate, findings=outcome.findings, notes=[*notes, _extent(seen)])
    findings, passed = [*outcome.findings, *signs.findings], {**outcome.passed, **signs.passed}
    report.diagnoses = diagnose(findings, passed, signs.incidents)
    report.unaudited = _unaudited(config, seen, outcome)
    return report


def describe(config: ProbeConfig) -> list[str]:
    """What is understood of the first batch and of what the model makes of it, in lines; see ``probe``."""
    device, note, loaded, source = _opened(config)
    adapter, name = _chosen(config, loaded, source.batches[0])
    learn_vocabulary(adapter, loaded.module, source.batches[0], device)
    lines = layout_lines(adapter, name, loaded.module, source.batches[0], device)
    return [f"checkpoint: {loaded.kind}; {note}", f"data: {source.kind}", *lines]


def _opened(config: ProbeConfig) -> tuple[torch.device, str, LoadedModel, BatchSource]:
    """The device and a word on it, the model and its data."""
    device, note = choose_device(config.device)
    with memory_guard(device):
        loaded = load_checkpoint(
            Path(config.checkpoint),
            model=config.model,
            model_arguments=config.model_arguments,
            dtype=choose_dtype(config.dtype),
            device=device,
            config_json=config.config_json,
            trusted=config.trust_checkpoint,
        )
    with trusting(config.trust_checkpoint):
        source = open_data(config.data, arguments=config.data_arguments, count=config.batches)
    if config.dump:
        write_dump(Path(config.dump), source.batches, {"checkpoint": config.checkpoint, "data": config.data})
    return device, note, loaded, source


def _chosen(config: ProbeConfig, loaded: LoadedModel, batch: Batch) -> tuple[Adapter, str]:
    named = config.adapter or config.options.labels_key  # an audio vocabulary may be part of that of the text
    kind = "" if named else text_only(loaded.config, (name for name, _ in loaded.tensors()))
    if kind:
        raise UnreadableError(
            f"{config.checkpoint} is a text-only model ({kind}): neither its configuration nor its weights name audio; "
            "name the checkpoint of the audio model, or describe audio ids in the vocabulary of the text with "
            "--adapter generic, --labels-key, --logits-key, --layout and --first-id"
        )
    try:
        return choose_adapter(config.adapter, loaded.config, config.options, batch)
    except UnreadableError as error:
        raise UnreadableError(f"{config.checkpoint}: {error}") from error


def _observed(
    config: ProbeConfig,
    loaded: LoadedModel,
    source: BatchSource,
    adapter: Adapter,
    device: torch.device,
    logged: Sequence[Logged],
) -> list[Evidence]:
    weights = _weights(loaded)
    named = (adapter.layout.forward_names if loaded.stands_in else None) or kept_by_trainer(loaded.module)
    removes, steps = removes_unused_columns(Path(config.checkpoint)), trained_steps(Path(config.checkpoint))
    again = source.again() if source.again is not None else []
    learn_vocabulary(adapter, loaded.module, source.batches[0], device)
    seen = []
    for index, given in enumerate(source.batches):
        batch = prepared(adapter, loaded.module, given, device)
        evidence = Evidence(adapter.layout, batch, read_audio(adapter, batch), weights=weights, logged=tuple(logged))
        evidence.kept = {True: named, False: frozenset(batch), None: None}[removes]
        evidence.would_keep = named if removes is None else None
        evidence.trained_steps = steps
        evidence.text_tokens = _text_tokens(evidence)
        if index < len(again):
            evidence.again = read_audio(adapter, prepared(adapter, loaded.module, again[index], device))
        if not evidence.unreadable and not run_checks(evidence, _FATAL).findings:
            observe(evidence, adapter, loaded.module, device, backward=config.backward)
        seen.append(evidence)
    if config.held_out and not math.isnan(seen[0].next_loss):  # else there is nothing to compare with
        seen[0].held_out = held_out_loss(seen[0], adapter, loaded.module, _held_out(config, adapter), device)
        if math.isnan(seen[0].held_out):
            raise UnreadableError(
                f"--held-out {config.held_out!r}: the audio loss could not be measured on it; name data in the layout "
                "of --data, with audio codes and labels that count"
            )
    return seen


def _held_out(config: ProbeConfig, adapter: Adapter) -> Batch:
    """A file takes no arguments, whatever --data is."""
    named = os.path.exists(config.held_out)  # noqa: PTH110  # that of Path raises for a name that is too long
    arguments = {} if named else config.data_arguments
    with trusting(config.trust_checkpoint):
        batch = open_data(config.held_out, arguments=arguments, count=1).batches[0]
    evidence = Evidence(adapter.layout, batch, read_audio(adapter, batch))
    if evidence.unreadable:
        name, what = next(iter(evidence.unreadable.items()))
        raise UnreadableError(f"--held-out {config.held_out!r}: {name} is {what}; name data that fits the model")
    wrong = run_checks(evidence, _FATAL).findings
    if wrong:
        raise UnreadableError(f"--held-out {config.held_out!r}: {wrong[0].message}; name data that fits the model")
    return batch


def merge(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of several batches: each code's gravest findings once, ruled out only what every batch rules out."""
    merged = Outcome()
    for code in sorted({finding.code for outcome in outcomes for finding in outcome.findings}):
        ranks = [max((each.severity.rank for each in _of(outcome, code)), default=-1) for outcome in outcomes]
        where = [index for index, rank in enumerate(ranks) if rank == max(ranks)]
        merged.findings += [_told(each, where, len(outcomes)) for each in _of(outcomes[where[0]], code)]
    merged.findings.sort(key=lambda finding: -finding.severity.rank)
    for code, clause in outcomes[0].passed.items():
        if all(code in outcome.passed for outcome in outcomes):
            merged.passed[code] = clause
    return merged


def _of(outcome: Outcome, code: str) -> list[Finding]:
    return [each for each in outcome.findings if each.code == code]


def _told(finding: Finding, where: list[int], batches: int) -> Finding:
    if batches == 1:
        return finding
    return replace(
        finding,
        message=f"in {len(where)} of {batches} batches: {finding.message}",
        evidence={**finding.evidence, "batches": where},
    )


def _weights(loaded: LoadedModel) -> Weights:
    return Weights(
        tuple(loaded.missing),
        tuple(loaded.unexpected),
        tuple(f"{name}: {theirs} in the checkpoint, {ours} in the model" for name, theirs, ours in loaded.mismatched),
        {fault.name: fault.kind for fault in weight_faults(loaded.tensors())},
    )


def _text_tokens(evidence: Evidence) -> int:
    item = evidence.layout.named("text-labels")
    labels: Any = evidence.batch.get(item.name) if item else None
    return int((labels != evidence.layout.ignore_index).sum()) if isinstance(labels, torch.Tensor) else 0


def _extent(seen: Sequence[Evidence]) -> str:
    groups = [each.audio.segments for each in seen if each.audio.segments is not None]
    columns, segments = sum(map(len, groups)), sum(len(each.unique()) for each in groups)
    return f"batches: {len(seen)}, audio columns: {columns:,}, segments: {segments:,}"


def _unaudited(config: ProbeConfig, seen: Sequence[Evidence], outcome: Outcome) -> list[Unaudited]:
    """A probe that found nothing must have measured something."""
    troubled = any(each.severity is not Severity.INFO for each in outcome.findings)
    if troubled or not any(math.isnan(each.next_loss) for each in seen):
        return []
    hint = "name the codes and labels of the batch with --adapter, or with --codes-key and --labels-key"
    return [Unaudited(config.data, "the audio loss could not be measured on it", hint=hint)]
