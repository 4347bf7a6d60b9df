"""The checks by themselves, for a training script or a test: tensors in, findings out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import Finding
from audioloss_cli.probe.check import run_checks
from audioloss_cli.probe.measure.alignment import Audio, targets
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.measure.statistics import logit_statistics
from audioloss_cli.probe.model_io.adapter import Batch, Options
from audioloss_cli.probe.model_io.batch import with_tensors
from audioloss_cli.probe.model_io.choose import choose_adapter
from audioloss_cli.probe.model_io.layout import Layout

_CELL_AXES = 2  # [N, K]


def validate_model_inputs(
    batch: Batch,
    model_inputs: Batch | None = None,
    *,
    adapter: str = "",
    config: Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> list[Finding]:
    """Check a collated batch without a model.

    Args:
        batch: as the collator gave it, in tensors or numpy arrays: ``label_ids`` [B, S], ``audio_out_ids`` and
            ``label_audio_ids`` [K, T] int64 in the original Higgs layout; other families as their adapters declare.
        model_inputs: what the trainer really hands to the model; keys of the batch that it lacks were dropped, and
            what it holds under the others is checked like the batch.
        adapter: name of the model family; found by the batch's keys if empty.
        config: of the model, as in config.json: number of codebooks, ids, delay pattern; the published values of the
            family if None.
        options: for the generic adapter.

    Returns:
        Findings of inputs and masking, the gravest first; empty if all is well.

    Raises:
        UsageError: no adapter is found for the batch.
    """
    batch = with_tensors(batch)
    made, _ = choose_adapter(adapter, config or {}, options or Options(), batch)
    evidence = Evidence(made.layout, batch, read_audio(made, batch))
    if model_inputs is None:
        return _gravest_first(run_checks(evidence).findings)
    handed = {key: value for key, value in with_tensors(model_inputs).items() if value is not None}
    evidence.kept = frozenset(map(str, handed))
    found = run_checks(evidence).findings
    reaches = {**batch, **handed}  # what is missing was told as dropped
    known = {finding.code for finding in found}
    later = run_checks(Evidence(made.layout, reaches, read_audio(made, reaches))).findings
    found += [replace(each, message=f"in model_inputs: {each.message}") for each in later if each.code not in known]
    return _gravest_first(found)


def validate_audio_logits(
    audio_logits: Tensor,
    audio_labels: Tensor,
    audio_codes: Tensor | None = None,
    *,
    num_codebooks: int = 8,
    vocab_size: int = 1026,
    bos: int | None = 1024,
    eos: int | None = 1025,
    ignore_index: int = -100,
    shift: int = 1,
    segments: Tensor | None = None,
) -> list[Finding]:
    """Check audio logits, by themselves and against labels.

    Args:
        audio_logits: [N, K, V] floating, on any device.
        audio_labels: [N, K] or, as the original Higgs collator gives them, [K, N]; int64. Where N is K, the two cannot
            be told apart, and [N, K] is taken.
        audio_codes: the codes that were fed in, shaped like the labels; the labels stand in for them if None.
        num_codebooks: K.
        vocab_size: V, special ids included.
        bos: id of the beginning, in every codebook; None for none.
        eos: id of the end.
        ignore_index: label that does not count.
        shift: positions by which the loss shifts the labels.
        segments: [N] int64, which stretch of audio a row belongs to; one stretch if None.

    Returns:
        Findings, the gravest first; among them, as information, the cross entropy by label offset.

    Raises:
        ValueError: logits that are not [N, K, V] and floating, labels or codes of another form than above, or codes or
            segments that do not fit the labels.
    """
    layout = Layout("these logits", (), num_codebooks, vocab_size, bos, eos, ignore_index=ignore_index, shift=shift)
    labels = _in_rows(audio_labels, num_codebooks, "audio_labels")
    codes = None if audio_codes is None else _in_rows(audio_codes, num_codebooks, "audio_codes")
    if codes is not None and codes.shape != labels.shape:
        raise ValueError(f"audio_codes {list(codes.shape)} and audio_labels {list(labels.shape)} differ in shape")
    groups = torch.zeros(len(labels), dtype=torch.long, device="cpu") if segments is None else segments.cpu()
    if groups.shape != labels.shape[:1]:
        raise ValueError(f"segments must be [{len(labels)}], one for each column of labels, not {list(groups.shape)}")
    audio = Audio(codes, labels, groups)
    evidence = Evidence(layout, {}, audio)
    fitting = [each for each in targets(audio, layout) if each.shape == audio_logits.shape[:_CELL_AXES]]
    wanted = [each.to(audio_logits.device) for each in fitting]
    evidence.stats = logit_statistics(audio_logits, wanted, ignore_index=ignore_index)
    return _gravest_first(run_checks(evidence).findings)


def _form(value: object) -> str:
    return str(list(value.shape)) if isinstance(value, Tensor) else f"of type {type(value).__name__}"


def _in_rows(cells: Tensor, num_codebooks: int, name: str) -> Tensor:
    """[N, K] int64 on the CPU."""
    if not isinstance(cells, Tensor) or cells.ndim != _CELL_AXES or num_codebooks not in cells.shape:
        raise ValueError(
            f"{name} must be [N, {num_codebooks}] or [{num_codebooks}, N], not {_form(cells)}: flatten samples and "
            "columns into N"
        )
    transposed = cells.ndim == _CELL_AXES and cells.shape[1] != num_codebooks == cells.shape[0]
    return (cells.T if transposed else cells).long().cpu()


def _gravest_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -finding.severity.rank)
