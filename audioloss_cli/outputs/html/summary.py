"""What the first lines of the page say: the verdict, and what was found in how much."""

from collections import Counter
from collections.abc import Iterator, Sequence

from audioloss_cli.model import Finding, Incident, Report, Severity
from audioloss_cli.model.exit_code import CLEAN, FINDINGS
from audioloss_cli.outputs.html.run_view import STANDINGS, STATES, RunView
from audioloss_cli.outputs.html.words import plural


class Summary:
    """Counts while runs go by."""

    #: Index in ``STATES`` from which a run is no trouble at the gate.
    first_calm_state = STATES.index("known")

    def __init__(self) -> None:
        self._severities, self._standings = Counter[Severity](), Counter[str]()
        self._series = self._audited = 0

    def add(self, view: RunView) -> None:
        """Count what was found in a run."""
        self._series += len(view.run.series)
        self._audited += bool(view.run.series)
        for found in view.found.values():
            self._count([one.entry for one in found])

    def _count(self, entries: Sequence[Incident | Finding]) -> None:
        for entry in entries:
            if entry.severity is not Severity.INFO:
                self._standings[entry.standing] += 1
                self._severities[entry.severity] += entry.standing == "found"

    def counts(self, report: Report) -> Iterator[str]:
        """Yield how much was found, of each kind, a clause each."""
        self._count(report.findings)
        for severity in (Severity.CRITICAL, Severity.WARNING):
            if self._severities[severity]:
                yield f"{self._severities[severity]:,} {severity}"
        if not self._standings["found"]:
            yield "no incidents" if report.runs and not report.findings else "nothing found"
        for standing in tuple(STANDINGS)[1:]:
            if self._standings[standing]:
                yield f"{self._standings[standing]:,} {standing}"
        if report.defects:
            yield plural(len(report.defects), "defect")
        if report.unread:
            yield f"{plural(len(report.unread), 'file')} not read"

    def scope(self, report: Report) -> str:
        """Return how much was audited."""
        return f"{plural(self._series, 'series')} of {plural(len(report.runs), 'run')} audited" if report.runs else ""

    def word(self, report: Report) -> str:
        """Return the verdict."""
        if report.exit_code == FINDINGS:
            return "FAIL"
        if report.exit_code == CLEAN:
            return "PASS"
        return "INCOMPLETE" if self._audited else "NOT AUDITED"
