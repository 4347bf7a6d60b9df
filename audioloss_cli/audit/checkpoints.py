"""Checkpoints to their rows of a report: found, audited one by one, held against each other or against a base."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from audioloss_cli.audit.hand_over import Finished
from audioloss_cli.causes import diagnose
from audioloss_cli.checkpoints.audit import AuditedCheckpoint, audit_opened
from audioloss_cli.checkpoints.copies import Copies
from audioloss_cli.checkpoints.discover import checkpoints_under, holds_weights
from audioloss_cli.checkpoints.health import Progress
from audioloss_cli.checkpoints.layouts import open_checkpoint
from audioloss_cli.checkpoints.stored import Checkpoint, ReadError
from audioloss_cli.checkpoints.trend import trend
from audioloss_cli.config import ConfigError, ScanConfig
from audioloss_cli.findings.identity import RunNames
from audioloss_cli.findings.judge import CHECKPOINTS, SCAN, Judge
from audioloss_cli.model import Diagnosis, Finding, Report, RunReport, Severity, Unaudited
from audioloss_cli.model.report import LeftOut, Source
from audioloss_cli.runs.walk import excluded


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """How checkpoints are audited.

    Attributes:
        against: path of what each is compared with; if empty, each is compared with the one before it in its directory.
        headers: read headers alone, and no values.
        jobs: threads that read values.
    """

    against: str = ""
    headers: bool = False
    jobs: int = 1


@dataclass(slots=True)
class CheckpointAudit:
    """Checkpoints that were audited.

    Attributes:
        runs: a row each, in the order in which they were found.
        passed: path -> code -> clause, of the checks that ruled their problem out.
        unaudited: paths that led to no checkpoint, or to one that cannot be read.
        reached: roots that led to a checkpoint.
        left_out: files of tensors that are no weights.
        notes: what the reader must know beside.
    """

    runs: list[RunReport] = field(default_factory=list)
    passed: dict[str, dict[str, str]] = field(default_factory=dict)
    unaudited: list[Unaudited] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, path: Path, error: OSError | ReadError) -> None:
        """Take down that a path could not be read, and why."""
        reason = str(getattr(error, "strerror", None) or error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
        self.unaudited.append(Unaudited(str(path), reason))

    @property
    def found(self) -> list[Finding]:
        """All findings that are neither known nor suppressed."""
        return [each for row in self.runs for each in row.findings if each.standing == "found"]

    @property
    def passed_by_all(self) -> dict[str, str]:
        """Code -> clause, of the checks that every checkpoint passed."""
        first, *others = self.passed.values() or ({},)
        return {code: clause for code, clause in first.items() if all(code in each for each in others)}


def audit_checkpoints(
    roots: Sequence[str],
    settings: CheckpointSettings,
    finish: Callable[[RunReport], RunReport],
    progress: Progress | None = None,
    exclude: Sequence[str] = (),
) -> CheckpointAudit:
    """Audit every checkpoint under the roots.

    Args:
        roots: files and directories.
        settings: how.
        finish: gives a row its identity, and its findings their standing.
        progress: called as values are read.
        exclude: globs over paths, and over the names of files and directories; what matches is not looked at.

    Raises:
        ConfigError: what ``settings.against`` names is no checkpoint, or cannot be read.
    """
    base = _opened_base(settings.against) if settings.against else None
    audit, copies = CheckpointAudit(), Copies()
    for root in roots:
        for group in _groups(root, audit, lambda path: excluded(str(path), exclude)):
            rows = list(_audited(group, Path(root), base, settings, audit, progress))
            _add_trend(rows, compared=base is None)
            copies.add(rows, settings.jobs)
            audit.runs += [finish(_row(each)) for each in rows]
            audit.passed |= {each.report.path: dict(each.passed) for each in rows}
    return audit


def add_to(
    report: Report,
    roots: Sequence[str],
    config: ScanConfig,
    finish: Callable[[RunReport], RunReport],
    progress: Progress | None,
    finished: Finished | None,
) -> None:
    """Audit the checkpoints under the roots of a scan as well, behind its logs.

    Args:
        report: of the logs; roots that led to checkpoints alone are audited by them.
        roots: those that are there.
        config: what to leave out, and how many threads read values.
        finish: see ``audit_checkpoints``.
        progress: see there.
        finished: is given each row.
    """
    settings = CheckpointSettings(jobs=config.jobs or os.cpu_count() or 1)
    audit = audit_checkpoints(roots, settings, finish, progress, config.exclude)
    report.diagnoses = diagnoses(audit, report.runs)
    report.unaudited = [each for each in report.unaudited if each.asked not in audit.reached] + audit.unaudited
    report.runs += audit.runs
    known = {each.path for each in report.left_out}
    report.left_out += [each for each in audit.left_out if each.path not in known]
    if finished is not None:
        for row in audit.runs:
            finished(row)


def report_on(
    roots: Sequence[str], settings: CheckpointSettings, judge: Judge, logs: Report | None, progress: Progress | None
) -> Report:
    """Audit checkpoints by themselves, or beside the logs of their training.

    Args:
        roots: files and directories; each must lead to at least one checkpoint, or the report says why not.
        settings: how.
        judge: tells what is known and what is suppressed, and has finished the runs of ``logs``.
        logs: the scan of the logs, if there was one.
        progress: see ``audit_checkpoints``.

    Raises:
        ConfigError: see ``audit_checkpoints``.
    """
    report = logs or Report(judge.gate)
    names = RunNames(roots)
    audit = audit_checkpoints(roots, settings, lambda row: judge.finish(row, names), progress)
    empty = [root for root in roots if root not in audit.reached]
    told = {each.asked for each in audit.unaudited}
    audit.unaudited += [Unaudited(root, _why_empty(root)) for root in empty if root not in told]
    report.diagnoses = diagnoses(audit, report.runs)
    report.unaudited += audit.unaudited
    report.runs += audit.runs
    report.left_out += audit.left_out
    report.notes = judge.notes
    report.stale_suppressions = judge.stale(*CHECKPOINTS, *(SCAN if logs else ()))
    return report


def beside(path: str, settings: CheckpointSettings, judge: Judge, progress: Progress | None) -> CheckpointAudit:
    """Audit the files of a checkpoint that a batch is run through, as far as they are of a kind that is known.

    Raises:
        ConfigError: see ``audit_checkpoints``.
    """
    names = RunNames([path])
    audit = audit_checkpoints([path], settings, lambda row: judge.finish(row, names), progress)
    told = [each.reason for each in audit.unaudited] or ([] if audit.runs else [_why_empty(path)])
    audit.notes += [f"the files of {path} were not audited by themselves: {reason}" for reason in told]
    return audit


def _why_empty(root: str) -> str:
    if Path(root).is_dir():
        return "no checkpoint in this directory"
    return (
        "not recognised as a checkpoint; known are safetensors, .pt, .pth, .bin, .ckpt and .npz, and the directories "
        "that trainings save"
    )


def diagnoses(audit: CheckpointAudit, logs: Sequence[RunReport] = ()) -> list[Diagnosis]:
    """Return the causes that the findings of each checkpoint speak for, weighed with the log of its run if it has one.

    Args:
        audit: finished, so that what is known or suppressed is told apart.
        logs: the runs whose logs were scanned.
    """
    several = len(audit.runs) > 1
    return [
        diagnosis
        for row in audit.runs
        for diagnosis in diagnose(
            [each for each in row.findings if each.standing == "found"],
            audit.passed.get(row.run, {}),
            [each for log in logs_of(row.run, logs) for item in log.series for each in item.incidents],
            row.run if several or logs else "",
        )
        if any(each.severity is not Severity.INFO for each in row.findings)
    ]


def logs_of(checkpoint: str, logs: Sequence[RunReport]) -> list[RunReport]:
    """Return the runs that lie closest to a checkpoint: in the directory that it lies in, below that, or above."""
    place = Path(checkpoint).absolute().parent
    distances = {id(log): distance for log in logs if (distance := _distance(place, log)) is not None}
    least = min(distances.values(), default=None)
    return [log for log in logs if id(log) in distances and distances[id(log)] == least]


def _distance(place: Path, log: RunReport) -> int | None:
    """Directories between a place and that of a log, if one of them lies in the other; None otherwise."""
    where = Path(log.run).absolute()
    where = where.parent if log.run in log.files else where
    if where == place or place in where.parents or where in place.parents:
        return abs(len(where.parts) - len(place.parts))
    return None


def _opened_base(against: str) -> Checkpoint:
    """The base; of a directory of checkpoints the last one."""
    try:
        found = list(checkpoints_under(Path(against)))
        if not found:
            raise ConfigError(f"--against {against} is no checkpoint and holds none; name one, or a directory of them")
        return open_checkpoint(found[-1])
    except (OSError, ReadError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"--against {against}: {reason}; name a checkpoint that can be read") from error


def _groups(root: str, audit: CheckpointAudit, exclude: Callable[[Path], bool]) -> Iterator[list[Path]]:
    """Checkpoints of one directory together."""
    found = list(checkpoints_under(Path(root), audit.refuse, exclude))
    if found:
        audit.reached.add(root)
    for _, group in groupby(found, key=lambda path: path.parent):
        yield list(group)


def _audited(
    group: Sequence[Path],
    root: Path,
    base: Checkpoint | None,
    settings: CheckpointSettings,
    audit: CheckpointAudit,
    progress: Progress | None,
) -> Iterator[AuditedCheckpoint]:
    before = base
    for path in group:
        try:
            opened = open_checkpoint(path)
            if path != root and path.is_file() and not holds_weights(opened):
                audit.left_out.append(LeftOut(str(path), "tensors of a batch or of a data set, no weights"))
                continue
            other = before if base or (before and before.tensors.keys() & opened.tensors.keys()) else None
            yield audit_opened(opened, other, headers=settings.headers, jobs=settings.jobs, progress=progress)
            before = base or opened
        except (ReadError, OSError) as error:
            audit.refuse(path, error)


def _add_trend(rows: Sequence[AuditedCheckpoint], *, compared: bool) -> None:
    """Findings about several checkpoints of one training stand with the last one that they are about."""
    if not compared or len(rows) < 2:  # noqa: PLR2004
        return
    by_path = {each.report.path: each for each in rows}
    told = {(each.report.path, finding.code) for each in rows for finding in each.findings}
    for finding in trend([each.report for each in rows], told):
        by_path[finding.evidence.get("after", rows[-1].report.path)].findings.append(finding)


def _row(audited: AuditedCheckpoint) -> RunReport:
    opened = audited.opened
    files = [os.fspath(file) for file in opened.files]
    return RunReport(
        str(opened.path), [Source(opened.kind, files)], findings=audited.findings, checkpoint=audited.report
    )
