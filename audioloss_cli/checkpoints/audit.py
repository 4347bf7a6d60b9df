"""One checkpoint from its path to its report: opened, read, held against its configuration and against another one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.checksums import faults_of_checksums
from audioloss_cli.checkpoints.comparison import compare
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import family_of, members
from audioloss_cli.checkpoints.health import Progress, examine
from audioloss_cli.checkpoints.layouts import open_checkpoint
from audioloss_cli.checkpoints.modules import summaries
from audioloss_cli.checkpoints.pickles.imports import is_of_torch
from audioloss_cli.checkpoints.stored import Checkpoint
from audioloss_cli.checkpoints.zips import checksum_faults
from audioloss_cli.model import Finding
from audioloss_cli.model.checkpoint_report import CheckpointReport


@dataclass(frozen=True, slots=True)
class AuditedCheckpoint:
    """A checkpoint.

    Attributes:
        opened: its headers.
        report: what lies in it.
        findings: of all checks, the gravest first.
        passed: code -> clause, of the checks that ruled their problem out.
    """

    opened: Checkpoint
    report: CheckpointReport
    findings: list[Finding]
    passed: Mapping[str, str] = field(default_factory=dict)


def audit_checkpoint(
    path: Path,
    *,
    base: Checkpoint | None = None,
    headers: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> AuditedCheckpoint:
    """Audit one checkpoint.

    Args:
        path: a file or a directory.
        base: what it is compared with, opened.
        headers: read headers alone, and no values.
        jobs: threads that read values.
        progress: called as values are read.

    Raises:
        ReadError: it is no checkpoint, or nothing of it can be read.
        OSError: a file cannot be opened.
    """
    return audit_opened(open_checkpoint(path), base, headers=headers, jobs=jobs, progress=progress)


def audit_opened(
    opened: Checkpoint, base: Checkpoint | None, *, headers: bool, jobs: int, progress: Progress | None
) -> AuditedCheckpoint:
    """Audit a checkpoint that is open already; see ``audit_checkpoint``.

    Raises:
        OSError: a file cannot be read.
    """
    family = family_of({**opened.adapter_config, **opened.config}, opened.tensors)
    if family is None and opened.tensors:
        opened.notes.append("the model is of no family that is known: which tensors are the audio's is not judged")
    evidence = CheckpointEvidence(opened, family)
    if not headers:
        for file in opened.files:
            opened.faults += checksum_faults(file, progress) if file.is_file() else []
        opened.faults += faults_of_checksums(opened.checksums, progress)
        rows = members(family, opened.tensors, "head", "embeddings")
        health = examine(opened.tensors, rows_of=rows, jobs=jobs, progress=progress)
        state = examine(opened.state, jobs=jobs, progress=progress, quick=True)
        opened.faults += [*health.faults, *state.faults]
        evidence.statistics, evidence.state_statistics = health.statistics, state.statistics
        if base is not None:
            evidence.comparison = compare(opened, base, jobs=jobs, progress=progress)
    findings, passed = run_checks(evidence)
    return AuditedCheckpoint(opened, _report(evidence), findings, passed)


def _report(evidence: CheckpointEvidence) -> CheckpointReport:
    opened, comparison = evidence.checkpoint, evidence.comparison
    dtypes = Counter[str]()
    for tensor in opened.tensors.values():
        dtypes[tensor.dtype] += tensor.elements
    return CheckpointReport(
        path=str(opened.path),
        step=opened.step,
        family=evidence.family.NAME if evidence.family else "",
        nbytes=sum(file.stat().st_size for file in opened.files if file.is_file()),
        tensors=len(opened.tensors),
        parameters=dtypes.total(),
        dtypes=dict(dtypes),
        against=comparison.path if comparison else "",
        modules=summaries(evidence),
        imports=sorted({name for names in opened.imports.values() for name in names if not is_of_torch(name)}),
        notes=opened.notes,
    )
