"""JUnit's XML: a suite for each run, a test for each audited series.

A test fails for an incident that counts at the gate. An error is what kept something from being audited.
"""

from collections.abc import Iterator

from audioloss_cli import outputs
from audioloss_cli.junit_xml import FOOTER, HEADER, Case, Outcome, Suite, suite_xml
from audioloss_cli.model import Gate, Report, RunReport, View
from audioloss_cli.outputs._problems import Problem, of_audit, of_run
from audioloss_cli.outputs._verdict import sentence, word


class Output(outputs.Output):
    """What does not fail the audit (known, suppressed, below the gate) stands in the output of its suite."""

    suffixes = (".xml",)

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._gate = Gate()
        self._suites = 0

    def begin(self, gate: Gate) -> Iterator[str]:
        """Yield the beginning of the document."""
        self._gate = gate
        yield HEADER

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield the suite of a run."""
        problems = list(of_run(run, self._gate))
        cases = [_case(item.tag, [each for each in problems if each.tag == item.tag]) for item in run.series]
        rest = [each for each in problems if not each.tag]
        cases += [_alone(each) for each in rest if each.fails]
        if run.checkpoint is not None and not cases:
            cases.append(Case("checkpoint"))
        if not run.series and not cases:
            cases.append(Case("audio loss", "skipped", message=run.note or "no audited series"))
        spared = [each.sentence for each in problems if not each.fails]
        yield from self._suite(Suite(run.run, cases, {"format": run.format}, spared))

    def end(self, report: Report) -> Iterator[str]:
        """Yield the suite of what is of no run, and the end of the document."""
        problems = list(of_audit(report))
        cases = [_alone(each) for each in problems if each.fails]
        spared = [each.sentence for each in problems if not each.fails]
        if problems or not self._suites:
            cases = cases or [Case("audit")]
        if cases:
            yield from self._suite(
                Suite("audioloss", cases, {"verdict": f"{word(report)}{sentence(report)}"}, [*report.notes, *spared])
            )
        yield FOOTER

    def _suite(self, suite: Suite) -> Iterator[str]:
        for text in suite_xml(suite, self._suites):
            yield text if self.view.unicode else text.encode("ascii", "xmlcharrefreplace").decode("ascii")
        self._suites += 1


def _case(tag: str, problems: list[Problem]) -> Case:
    failing = sorted((each for each in problems if each.fails), key=lambda each: -each.severity.rank)
    if not failing:
        return Case(tag)
    lines = [line for each in failing for line in _lines(each)]
    return Case(tag, "failure", failing[0].code, failing[0].sentence, lines)


def _alone(problem: Problem) -> Case:
    """A finding is a failure; what was not audited is an error."""
    outcome: Outcome = "failure" if problem.kind == "finding" else "error"
    name = problem.code if problem.kind == "finding" else f"{problem.code}: {problem.path}"
    return Case(name, outcome, problem.code, problem.sentence, list(_lines(problem)))


def _lines(problem: Problem) -> Iterator[str]:
    yield f"{problem.severity}: {problem.sentence}"
    if problem.fingerprint:
        yield f"fingerprint: {problem.fingerprint}"
    if problem.advice:
        yield f"fix: {problem.advice}"
