"""How a report shows itself in an interactive session and in a notebook."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from audioloss_cli.model.exit_code import CLEAN, FINDINGS
from audioloss_cli.model.view import printable, shortened

if TYPE_CHECKING:
    from audioloss_cli.model.incident import Incident
    from audioloss_cli.model.report import Report

_MOST_ROWS = 100
_LONGEST = 200  # characters of a name
_HEADINGS = ("run", "series", "points", "lowest", "severity", "code", "steps")
_VERDICTS = {CLEAN: "PASS", FINDINGS: "FAIL"}


def three_lines(report: "Report") -> str:
    """The verdict, the gravest incident, and where to go from here."""
    return f"{_verdict(report)}\n{_gravest(report)}\nMore: .incidents, .runs, .findings, .defects, .to_frame()"


def table(report: "Report") -> str:
    """The verdict, and a row for each incident and for each series without one, as HTML; all names are escaped."""
    rows = list(_rows(report))
    rows.sort(key=lambda row: {"critical": 0, "warning": 1, "info": 2}.get(row[4], 3))
    shown = [f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows[:_MOST_ROWS]]
    more = f"<p>... and {len(rows) - _MOST_ROWS:,} more rows</p>" if len(rows) > _MOST_ROWS else ""
    head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    return f"<p>{_cell(_verdict(report))}</p><table><tr>{head}</tr>{''.join(shown)}</table>{more}"


def _verdict(report: "Report") -> str:
    counts = [f"{sum(each == name for each in report.severities)} {name}" for name in ("critical", "warning")]
    extent = f"{sum(len(run.series) for run in report.runs):,} series of {len(report.runs):,} runs"
    word = _VERDICTS.get(report.exit_code, "NOT AUDITED IN FULL")
    return f"Report: {word} (exit code {report.exit_code}): {', '.join(counts)} in {extent}"


def _gravest(report: "Report") -> str:
    places = ((run.run, item.tag, each) for run in report.runs for item in run.series for each in item.incidents)
    found = max(places, key=lambda place: place[2].severity.rank, default=None)
    if found is not None:
        run, tag, incident = found
        return f"Gravest: {incident.code}, steps {_steps(incident)}, {_name(tag)} of {_name(run)}"
    findings = [*report.findings, *(finding for run in report.runs for finding in run.findings)]
    if findings:
        finding = max(findings, key=lambda each: each.severity.rank)
        return f"Gravest: {finding.code}: {_name(finding.message)}"
    if report.unaudited:
        return f"Not audited: {_name(report.unaudited[0].asked)}: {_name(report.unaudited[0].reason)}"
    return "Gravest: nothing was found"


def _rows(report: "Report") -> Iterator[tuple[str, ...]]:
    for run in report.runs:
        for item in run.series:
            lowest = f"{item.extremes[0]:.4g}" if item.extremes else ""
            about = (run.run, item.tag, f"{item.points:,}", lowest)
            for incident in item.incidents:
                yield (*about, str(incident.severity), incident.code, _steps(incident))
            if not item.incidents:
                yield (*about, "", "", "")
        for finding in run.findings:
            yield (run.run, finding.message, "", "", str(finding.severity), finding.code, "")
    for finding in report.findings:
        yield ("", finding.message, "", "", str(finding.severity), finding.code, "")


def _steps(incident: "Incident") -> str:
    return f"{incident.first_step:,} to {incident.last_step:,}"


def _name(text: str) -> str:
    return shortened(printable(text), _LONGEST)


def _cell(text: str) -> str:
    return escape(_name(text))
