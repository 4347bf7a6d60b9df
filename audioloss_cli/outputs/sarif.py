"""SARIF 2.1.0, such as for GitHub code scanning.

What was found is a result. What was known or suppressed is a result with a suppression. What was not audited is a
notification of the invocation, which then was not successful.
"""

from collections.abc import Iterator
from typing import Any

import audioloss_cli
from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, Severity, View, printable, shortened
from audioloss_cli.outputs._codes import documentation
from audioloss_cli.outputs._document import as_json
from audioloss_cli.outputs._places import uri
from audioloss_cli.outputs._problems import Problem, of_audit, of_run

#: Results of a run that GitHub takes.
MOST_RESULTS = 25_000
_BEGINNING = """{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "columnKind": "unicodeCodePoints",
      "results": ["""
_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


class Output(outputs.Output):
    """Results as their runs are finished; the rules that they name, and the notifications, behind them."""

    suffixes = (".sarif", ".sarif.json")

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._gate = Gate()
        self._results = self._left_out = 0
        self._codes: dict[str, int] = {}
        self._notifications: list[dict[str, Any]] = []

    def begin(self, gate: Gate) -> Iterator[str]:
        """Yield the opening of the list of results."""
        self._gate = gate
        yield _BEGINNING

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield the results of a run."""
        for problem in of_run(run, self._gate):
            yield from self._said(problem)

    def end(self, report: Report) -> Iterator[str]:
        """Yield everything else."""
        for problem in of_audit(report):
            yield from self._said(problem)
        if self._left_out:
            text = f"{self._left_out} more results were left out: GitHub takes {MOST_RESULTS}"
            self._notifications.append({"level": "warning", "message": {"text": text}})
        whole = not any(each["level"] == "error" for each in self._notifications)
        invocation = {
            "executionSuccessful": whole,
            "exitCode": report.exit_code,
            "toolExecutionNotifications": self._notifications,
        }
        driver = {
            "name": "audioloss",
            "semanticVersion": audioloss_cli.__version__,
            "rules": [_rule(code) for code in self._codes],
        }
        rest = self._json({"tool": {"driver": driver}, "invocations": [invocation]})
        yield ("\n      ]" if self._results else "]") + f",\n      {rest[1:-1]}\n    }}\n  ]\n}}\n"

    def _said(self, problem: Problem) -> Iterator[str]:
        if problem.kind not in ("incident", "finding"):
            self._notifications.append(_notification(problem))
        elif self._results >= MOST_RESULTS:
            self._left_out += 1
        else:
            comma = "," if self._results else ""
            yield comma + "\n        " + self._json(self._result(problem))
            self._results += 1

    def _result(self, problem: Problem) -> dict[str, Any]:
        number = self._codes.setdefault(problem.code, len(self._codes))
        names = [{"name": problem.tag, "fullyQualifiedName": problem.where, "kind": "member"}] if problem.tag else []
        result: dict[str, Any] = {
            "ruleId": problem.code,
            "ruleIndex": number,
            "level": _LEVELS[problem.severity],
            "message": {"text": shortened(printable(problem.sentence))},
            "locations": [{**_location(problem), **({"logicalLocations": names} if names else {})}],
            "partialFingerprints": {"audioloss/v1": problem.identity},
            "properties": {"standing": problem.standing, "fails": problem.fails},
        }
        if problem.step is not None:
            result["properties"]["step"] = problem.step
        if problem.standing != "found":
            reason = problem.standing_reason or "in the baseline"
            result["suppressions"] = [{"kind": "external", "justification": printable(reason)}]
        return result

    def _json(self, item: Any) -> str:
        return as_json(item, ascii_only=not self.view.unicode)


def _location(problem: Problem) -> dict[str, Any]:
    if not problem.path:
        return {}
    region = {"startLine": problem.line or 1}
    return {"physicalLocation": {"artifactLocation": {"uri": uri(problem.path)}, "region": region}}


def _notification(problem: Problem) -> dict[str, Any]:
    location = _location(problem)
    return {
        "level": "error" if problem.fails else "note",
        "message": {"text": shortened(printable(problem.message))},
        "descriptor": {"id": problem.code},
        **({"locations": [location]} if location else {}),
    }


def _rule(code: str) -> dict[str, Any]:
    text = documentation(code)
    if text is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": text.title},
        "fullDescription": {"text": text.what},
        "help": {"text": f"{text.why}\n\nFix: {text.fix}"},
    }
