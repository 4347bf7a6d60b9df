"""What every report for people ends in: the broken runs, the worst first, and the verdict."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from audioloss_cli.model import Finding, Incident, Report, Severity
from audioloss_cli.model.exit_code import CLEAN


class BrokenRun(NamedTuple):
    """A run in which something was found, by the worst of it.

    Attributes:
        run: its name.
        severity, code, fingerprint: of the worst finding; of several the first.
        step: at which it begins; None where it is about the run as a whole.
        more: how many others there are.
    """

    run: str
    severity: Severity
    code: str
    fingerprint: str
    step: int | None = None
    more: int = 0

    def __str__(self) -> str:
        where = "" if self.step is None else f" at step {self.step:,}"
        name = f" [{self.fingerprint}]" if self.fingerprint else ""
        more = f" (and {self.more:,} more)" if self.more else ""
        return f"{str(self.severity).upper()} {self.code}{where}{name} {self.run}{more}"


def broken_runs(report: Report) -> list[BrokenRun]:
    """Return the runs in which something was found that counts, the worst first, then by name."""
    found = [*(broken(run.run, run.standings) for run in report.runs), broken(report.subject, report.findings)]
    return sorted(filter(None, found), key=lambda each: (-each.severity.rank, each.run))


def broken(run: str, findings: Iterable[Incident | Finding]) -> BrokenRun | None:
    """Return the worst of what was found in a run; None if nothing was that counts."""
    counted = [each for each in findings if each.standing == "found" and each.severity is not Severity.INFO]
    if not counted:
        return None
    worst = min(counted, key=lambda each: (-each.severity.rank, first_step(each) or 0))
    return BrokenRun(run, worst.severity, worst.code, worst.fingerprint, first_step(worst), len(counted) - 1)


def first_step(finding: Incident | Finding) -> int | None:
    """Return the step at which an incident begins; None for a finding about a run as a whole."""
    return finding.first_step if isinstance(finding, Incident) else None


def word(report: Report) -> str:
    """Return FAIL, PASS, INCOMPLETE or NOT AUDITED."""
    if report.is_failed:
        return "FAIL"
    if report.exit_code == CLEAN:
        return "PASS"
    return "INCOMPLETE" if any(run.series or run.checkpoint for run in report.runs) else "NOT AUDITED"


def sentence(report: Report) -> str:
    """Return what follows the word: the exit code, what was found and in how much, and at which gate."""
    asked = " by --exit-zero" if report.is_failed and report.gate.exit_zero else ""
    return f" (exit {report.exit_code}{asked}): {', '.join(_counts(report))}{_scope(report)}{_gate(report)}"


def damaged(report: Report) -> Iterator[str]:
    """Yield a line for each run that is damaged, and for each place that belongs to none."""
    for run in report.runs:
        if run.defects:
            yield f"DAMAGED {run.run}: {plural(len(run.defects), 'defect')}"
    for defect in report.stray_defects:
        yield f"DAMAGED {defect.path}: {defect.kind}"


def left_out(report: Report) -> Iterator[str]:
    """Yield a line for each thing that was not audited, or not read at all."""
    for item in report.unaudited:
        yield f"NOT AUDITED {item.asked}: {item.reason}"
    for file in report.unread:
        yield f"NOT READ {file.path}: {file.reason}"


def plural(count: int, noun: str) -> str:
    """``1 point``, ``2 points``, ``1 series``, ``2 series``."""
    return f"{count:,} {noun}" + ("" if count == 1 or noun.endswith("s") else "s")


def _counts(report: Report) -> Iterator[str]:
    grave = [severity for severity in report.severities if severity is not Severity.INFO]
    for severity in (Severity.CRITICAL, Severity.WARNING):
        if severity in grave:
            yield f"{grave.count(severity):,} {severity}"
    known, suppressed = report.count("known"), report.count("suppressed")
    if not grave:
        new = "new " if known or suppressed else ""
        logs = report.runs and not report.findings and not any(run.checkpoint for run in report.runs)
        yield f"no {new}incidents" if logs else f"nothing {new}found"
    if known:
        yield f"{known:,} known"
    if suppressed:
        yield f"{suppressed:,} suppressed"
    if report.defects:
        yield plural(len(report.defects), "defect")
    if report.unread:
        yield f"{plural(len(report.unread), 'file')} not read"
    if report.stale_suppressions:
        yield plural(len(report.stale_suppressions), "stale suppression")


def _scope(report: Report) -> str:
    checkpoints = sum(run.checkpoint is not None for run in report.runs)
    audited, runs = sum(len(run.series) for run in report.runs), len(report.runs) - checkpoints
    parts = [f"{plural(audited, 'series')} of {plural(runs, 'run')}"] if runs else []
    parts += [plural(checkpoints, "checkpoint")] if checkpoints else []
    return f" in {' and '.join(parts)}" if parts else ""


def _gate(report: Report) -> str:
    gate = report.gate
    said = [f"fail on {gate.fail_on}"] if gate.fail_on != "warning" else []
    said += [f"up to {plural(gate.max_incidents, 'incident')} may pass"] if gate.max_incidents else []
    return f" ({', '.join(said)})" if said else ""
