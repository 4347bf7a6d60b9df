"""The first line: what the audit says, and why."""

from collections.abc import Iterable

from rich.text import Text

from audioloss_cli.outputs.text.layout import plural
from audioloss_cli.records import Report, Severity
from audioloss_cli.records.report import CLEAN, FINDINGS


def verdict_line(report: Report) -> Text:
    """PASS, FAIL or NOT AUDITED, the counts behind it and the exit code."""
    word, style = _verdict(report)
    counts = ", ".join([*_counts(report), _scope(report)])
    return Text.assemble((word, style), f": {counts} (fail on {report.gate.fail_on}, exit {report.exit_code})")


def _verdict(report: Report) -> tuple[str, str]:
    if report.exit_code == FINDINGS:
        return "FAIL", "bold red"
    return ("PASS", "bold green") if report.exit_code == CLEAN else ("NOT AUDITED", "bold yellow")


def _counts(report: Report) -> Iterable[str]:
    found = report.severities
    noun = "incident" if report.runs or not report.findings else "finding"
    for severity in reversed(Severity):
        if severity in found:
            yield plural(found.count(severity), f"{severity} {noun}")
    if not found:
        yield f"no {noun}s"
    if report.defects:
        yield plural(len(report.defects), "defect")


def _scope(report: Report) -> str:
    audited = sum(len(run.series) for run in report.runs)
    runs = sum(bool(run.series) for run in report.runs)
    return f"{plural(audited, 'series')} of {plural(runs, 'run')} audited"
