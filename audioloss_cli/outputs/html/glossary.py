"""The documentation of each code that the page names, once."""

from collections.abc import Iterable, Iterator

from audioloss_cli.model import Finding, Report, RuleText, RunReport
from audioloss_cli.outputs._codes import documentation, folder_of


class Glossary:
    """Collects the codes of rules, findings, checks and causes that a report holds."""

    def __init__(self) -> None:
        self._codes = set[str]()

    def add_run(self, run: RunReport) -> None:
        """Take in what was found in a run, and the likely causes."""
        self._add_findings(run.findings)
        for item in run.series:
            for incident in item.incidents:
                self._codes.add(incident.code)
                self._codes.update(code for cause in incident.causes for code in (cause.cause, cause.confirm))

    def add_probe(self, report: Report) -> None:
        """Take in what a probe found."""
        self._add_findings(report.findings)
        self._codes.update(diagnosis.cause for diagnosis in report.diagnoses)

    def _add_findings(self, findings: Iterable[Finding]) -> None:
        self._codes.update(finding.code for finding in findings)

    def __iter__(self) -> Iterator[tuple[str, RuleText]]:
        """Yield each code that is documented, in order, and what its documentation says."""
        for code in sorted(self._codes):
            text = documentation(code)
            if text is not None:
                yield code, text


def documented(code: str) -> bool:
    """Whether there is documentation of a code."""
    return folder_of(code) is not None
