"""Everything that an audit has to say of trouble, as one flat list: what most formats for machines are made of."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from audioloss_cli.model import Defect, Finding, Gate, Incident, Report, RunReport, Severity
from audioloss_cli.model.gate import Standing

Kind = Literal["incident", "finding", "defect", "unread", "unaudited", "stale-suppression"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One incident, one finding, or one thing that kept the audit from being complete.

    Attributes:
        kind: which of them.
        code: stable code of what found it; the kind for what could not be audited.
        severity: how bad it is; of what could not be audited critical if it fails the audit, else info.
        message: a sentence.
        fails: whether the audit fails for it: at or above the gate, and neither known nor suppressed.
        advice: what to do; empty if nobody knows.
        run: name of the run; empty if it is of none.
        tag: of the series; empty if it is of none.
        path: a file that it is about, or the run, or what was asked for.
        step: first training step at which something was wrong; None where there are none.
        line: line of the file, 1-based; None where it has none.
        offset: byte of the file; None where nobody knows.
        fingerprint, standing, standing_reason: see ``Incident``.
        incident: all that is known of an incident.
    """

    kind: Kind
    code: str
    severity: Severity
    message: str
    fails: bool
    advice: str = ""
    run: str = ""
    tag: str = ""
    path: str = ""
    step: int | None = None
    line: int | None = None
    offset: int | None = None
    fingerprint: str = ""
    standing: Standing = "found"
    standing_reason: str = ""
    incident: Incident | None = None

    @property
    def where(self) -> str:
        """Run and series, or the path of what is of no run."""
        return f"{self.run}: {self.tag}" if self.tag else self.run or self.path

    @property
    def sentence(self) -> str:
        """Where, and what; for places that show no more than a line."""
        standing = (
            f" [{self.standing}: {self.standing_reason or 'in the baseline'}]" if self.standing != "found" else ""
        )
        step = f" at step {self.step}" if self.step is not None and self.incident is not None else ""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.code}{step}: {self.message}{standing}"

    @property
    def identity(self) -> str:
        """16 hex digits: the fingerprint, or a digest of what stands in its place."""
        if self.fingerprint:
            return self.fingerprint
        parts = (self.kind, self.code, self.run, self.tag, self.path, self.step, self.line, self.offset, self.message)
        return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def of_run(run: RunReport, gate: Gate) -> Iterator[Problem]:
    """Yield what was found in a run: incidents by series, findings about the run as a whole, defects of its files."""
    path = run.files[0] if run.files else run.run
    for item in run.series:
        for incident in item.incidents:
            yield _of_incident(incident, gate, run.run, item.tag, path)
    for finding in run.findings:
        yield _of_finding(finding, gate, run.run, path)
    for defect in run.defects:
        yield _of_defect(defect, gate, run.run)


def of_audit(report: Report) -> Iterator[Problem]:
    """Yield what is said beside the runs: findings of a probe, and everything that was not audited."""
    gate = report.gate
    for finding in report.findings:
        yield _of_finding(finding, gate, "", "")
    for item in report.unaudited:
        named = item.asked.startswith("--")  # an option, and no path
        message = (f"{item.asked}: " if named else "not audited: ") + item.reason
        message += f"; {item.hint}" if item.hint else ""
        path = "" if named else item.asked
        yield Problem("unaudited", "unaudited", Severity.CRITICAL, message, fails=True, path=path)
    for defect in report.stray_defects:
        yield _of_defect(defect, gate, "")
    for each in report.unread:
        severity, fails = _incomplete(allowed=gate.allow_unread)
        message = f"not read: {each.reason}; {each.hint}"
        yield Problem("unread", "unread", severity, message, fails, path=each.path)
    for stale in report.stale_suppressions:
        severity, fails = _incomplete(allowed=not gate.fail_on_stale_suppressions)
        message = f"suppression {stale.suppression}: {stale.reason}"
        yield Problem("stale-suppression", "stale-suppression", severity, message, fails, path=stale.file)


def _incomplete(*, allowed: bool) -> tuple[Severity, bool]:
    return (Severity.INFO, False) if allowed else (Severity.CRITICAL, True)


def _of_incident(incident: Incident, gate: Gate, run: str, tag: str, path: str) -> Problem:
    return Problem(
        "incident",
        incident.code,
        incident.severity,
        incident.message,
        gate.fails(incident.severity) and incident.standing == "found",
        incident.advice,
        run,
        tag,
        path,
        incident.first_step,
        fingerprint=incident.fingerprint,
        standing=incident.standing,
        standing_reason=incident.standing_reason,
        incident=incident,
    )


def _of_finding(finding: Finding, gate: Gate, run: str, path: str) -> Problem:
    return Problem(
        "finding",
        finding.code,
        finding.severity,
        finding.message,
        gate.fails(finding.severity) and finding.standing == "found",
        finding.advice,
        run,
        path=path,
        fingerprint=finding.fingerprint,
        standing=finding.standing,
        standing_reason=finding.standing_reason,
    )


def _of_defect(defect: Defect, gate: Gate, run: str) -> Problem:
    severity, fails = _incomplete(allowed=gate.allow_defects)
    message = f"{defect.place}: {defect.kind}: {defect.message}"
    return Problem(
        "defect", "defect", severity, message, fails, "", run, "", defect.path, None, defect.line, defect.offset
    )
