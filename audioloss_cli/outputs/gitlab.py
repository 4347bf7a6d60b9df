"""GitLab code quality: a JSON list of issues, for ``artifacts: reports: codequality``.

GitLab shows in a merge request what its target branch does not have, by fingerprint. What is known or suppressed is of
severity info, whatever it was.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, Severity, View, printable, shortened
from audioloss_cli.outputs._document import as_json
from audioloss_cli.outputs._places import relative
from audioloss_cli.outputs._problems import Problem, of_audit, of_run

_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


class Output(outputs.Output):
    """Each fingerprint stands in the list once: GitLab drops a second one."""

    suffixes = (".codequality.json", "gl-code-quality-report.json")

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._gate = Gate()
        self._taken = set[str]()

    def begin(self, gate: Gate) -> Iterator[str]:
        """Yield the opening of the list."""
        self._gate = gate
        yield "["

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield the issues of a run."""
        yield from self._issues(of_run(run, self._gate))

    def end(self, report: Report) -> Iterator[str]:
        """Yield the issues that are of no run, and the end of the list."""
        yield from self._issues(of_audit(report))
        yield "\n]\n" if self._taken else "]\n"

    def _issues(self, problems: Iterable[Problem]) -> Iterator[str]:
        for problem in problems:
            comma = "," if self._taken else ""
            yield comma + "\n  " + as_json(self._issue(problem), ascii_only=not self.view.unicode)

    def _issue(self, problem: Problem) -> dict[str, Any]:
        severity = _SEVERITIES[problem.severity] if problem.standing == "found" else "info"
        return {
            "type": "issue",
            "check_name": problem.code,
            "description": shortened(printable(problem.sentence)),
            "categories": ["Bug Risk"],
            "fingerprint": self._fingerprint(problem),
            "severity": severity,
            "location": {"path": relative(problem.path or "."), "lines": {"begin": problem.line or 1}},
        }

    def _fingerprint(self, problem: Problem) -> str:
        """The fingerprint, or a digest of it and of the run where two runs have the same one."""
        found, number = problem.identity, 0
        while found in self._taken:
            number += 1
            text = f"{problem.identity}\0{problem.run}\0{number}"
            found = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        self._taken.add(found)
        return found
