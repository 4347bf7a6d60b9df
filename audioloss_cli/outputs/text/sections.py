"""What follows the runs: diagnoses, what to do next, what was not audited, defects."""

from collections.abc import Iterator

from audioloss_cli.model import Report, Severity, View
from audioloss_cli.outputs.text.layout import STYLES, Line, line, paragraph, title
from audioloss_cli.outputs.text.runs import identity_lines

_MOST_DEFECTS = 20
_MOST_TAGS = 20


def diagnosis_lines(report: Report, view: View) -> Iterator[Line]:
    """A probe's ranked causes, then its findings, then what was ruled out."""
    if report.diagnoses:
        yield from title("Diagnosis")
    for diagnosis in report.diagnoses:
        about = f"  of {diagnosis.about}" if diagnosis.about else ""
        yield line(f"  {diagnosis.rank}. ", (diagnosis.cause, "bold"), about)
        for evidence in diagnosis.evidence:
            yield from paragraph(f"- {evidence}", view, indent=5, hang=2)
        yield from paragraph(f"Fix: {diagnosis.fix}", view, indent=5)
    yield from _findings(report, view)
    ruled_out = [clause for diagnosis in report.diagnoses[:1] for clause in diagnosis.ruled_out]
    if ruled_out:
        yield from title("Ruled out")
    for clause in ruled_out:
        yield from paragraph(clause, view, indent=2, hang=2)


def _findings(report: Report, view: View) -> Iterator[Line]:
    """A finding that speaks for a cause needs no advice of its own: the cause has the fix."""
    explained = {evidence for diagnosis in report.diagnoses for evidence in diagnosis.evidence}
    if report.findings:
        yield from title("Findings")
    for finding in report.findings:
        yield line("  ", (str(finding.severity).upper(), STYLES[finding.severity]), f" {finding.code}")
        yield from paragraph(finding.message, view, indent=4)
        yield from identity_lines(finding, view)
        if finding.severity is not Severity.INFO and finding.message not in explained and finding.advice:
            yield from paragraph(f"Fix: {finding.advice}", view, indent=4)


def advice_lines(report: Report, view: View) -> Iterator[Line]:
    """The advice for each kind of finding that counts, once; with -v for the others, too."""
    found = [each for run in report.runs for each in run.standings if each.advice]
    counts = [each for each in found if each.standing == "found" and each.severity is not Severity.INFO]
    advice = {each.code: each.advice for each in (found if view.verbosity > 0 else counts)}
    if advice:
        yield from title("What to do next")
    for code, text in sorted(advice.items()):
        yield line(f"  {code}")
        yield from paragraph(text, view, indent=4)


def unaudited_lines(report: Report, view: View) -> Iterator[Line]:
    """What was asked for and led to nothing, with the tags that were there."""
    if report.unaudited:
        yield from title("Not audited")
    for item in report.unaudited:
        yield from paragraph(
            f"{item.asked}: {item.reason}" + (f"; {item.hint}" if item.hint else ""), view, indent=2, hang=2
        )
        if item.tags:
            more = f", and {len(item.tags) - _MOST_TAGS} more" if len(item.tags) > _MOST_TAGS else ""
            yield from paragraph("scalars there: " + ", ".join(item.tags[:_MOST_TAGS]) + more, view, indent=4)


def unread_lines(report: Report, view: View) -> Iterator[Line]:
    """Files that look like logs and were not read, and with -v those that are none."""
    if report.unread:
        yield from title("Not read")
    for item in report.unread if view.verbosity > 0 else report.unread[:_MOST_DEFECTS]:
        yield from paragraph(f"{item.path}: {item.reason}; {item.hint}", view, indent=2, hang=2)
    if view.verbosity <= 0 and len(report.unread) > _MOST_DEFECTS:
        yield line(f"  ... and {len(report.unread) - _MOST_DEFECTS:,} more; -v lists them")
    if report.unread and not report.gate.allow_unread:
        yield from paragraph("--allow-unread lets such files pass.", view, indent=2)
    if report.left_out and view.verbosity > 0:
        yield from title("Left out")
        for other in report.left_out:
            yield from paragraph(f"{other.path}: {other.reason}", view, indent=2, hang=2)


def defect_lines(report: Report, view: View) -> Iterator[Line]:
    """Where which file is damaged, and what that does to the verdict."""
    defects = report.defects
    if not defects:
        return
    yield from title("Defects")
    for defect in defects if view.verbosity > 0 else defects[:_MOST_DEFECTS]:
        yield from paragraph(f"{defect.place}: {defect.kind}: {defect.message}", view, indent=2, hang=2)
    if view.verbosity <= 0 and len(defects) > _MOST_DEFECTS:
        yield line(f"  ... and {len(defects) - _MOST_DEFECTS:,} more; -v lists them")
    if not report.gate.allow_defects:
        yield from paragraph(
            "Everything readable was audited. --allow-defects lets a damaged log pass.", view, indent=2
        )


def suppression_lines(report: Report, view: View) -> Iterator[Line]:
    """Suppressions that do nothing any more."""
    if report.stale_suppressions:
        yield from title("Stale suppressions")
    for item in report.stale_suppressions:
        file = f" ({item.file})" if item.file else ""
        yield from paragraph(f"{item.suppression}: {item.reason}{file}", view, indent=2, hang=2)
    if report.stale_suppressions:
        yield from paragraph("Take them out, or renew them.", view, indent=2)
