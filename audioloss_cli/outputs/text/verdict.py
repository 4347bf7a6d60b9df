"""The first line: what the audit says, and why."""

from collections.abc import Iterable

from audioloss_cli.model import Report, Severity, View
from audioloss_cli.model.exit_code import CLEAN, FINDINGS
from audioloss_cli.outputs.text.layout import Line, line, paragraph, plural


def verdict_line(report: Report) -> Line:
    """PASS, FAIL, INCOMPLETE or NOT AUDITED, the exit code, what was found and in how much."""
    word, style = _verdict(report)
    gate = "" if report.gate.fail_on == "warning" else f" (fail on {report.gate.fail_on})"
    return line((word, style), f" (exit {report.exit_code}): {', '.join(_counts(report))}{_scope(report)}{gate}")


def settings_lines(report: Report, view: View) -> Iterable[Line]:
    """Which file had a say, lest it loosens the gate unseen, and how the audit was made."""
    if report.config_file:
        yield from paragraph(f"settings from {report.config_file}", view, indent=0)
    for note in report.notes:
        yield from paragraph(note, view, indent=0, hang=2)


def _verdict(report: Report) -> tuple[str, str]:
    if report.exit_code == FINDINGS:
        return "FAIL", "bold red"
    if report.exit_code == CLEAN:
        return "PASS", "bold green"
    return ("INCOMPLETE" if any(run.series for run in report.runs) else "NOT AUDITED"), "bold yellow"


def _counts(report: Report) -> Iterable[str]:
    grave = [severity for severity in report.severities if severity is not Severity.INFO]
    for severity in (Severity.CRITICAL, Severity.WARNING):
        if severity in grave:
            yield f"{grave.count(severity):,} {severity}"
    if not grave:
        yield "no incidents" if report.runs and not report.findings else "nothing found"
    if report.defects:
        yield plural(len(report.defects), "defect")
    if report.unread:
        yield f"{plural(len(report.unread), 'file')} not read"


def _scope(report: Report) -> str:
    if not report.runs:
        return ""
    audited = sum(len(run.series) for run in report.runs)
    return f" in {plural(audited, 'series')} of {plural(len(report.runs), 'run')}"
