"""One line a finding, as compilers and linters print them: ``path:tag: CODE severity at step N: message``."""

from collections.abc import Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Defect, Finding, Incident, Report, RunReport, Severity, printable, shortened
from audioloss_cli.outputs._verdict import broken_runs, damaged, first_step, left_out, sentence, word


class Output(outputs.Output):
    """A line for each finding that counts, with -v for the others too; then what was not audited, and the verdict.

    With -q a line for each broken run instead.
    """

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield a line for each finding of the run, and for each of its defects."""
        if self.view.verbosity < 0:
            return
        yield from map(self._line, self._of_run(run))

    def end(self, report: Report) -> Iterator[str]:
        """Yield the findings of a probe, what is not audited, the suppressions that are stale, and the verdict."""
        for text in self._quiet(report) if self.view.verbosity < 0 else self._rest(report):
            yield self._line(text)
        for text in left_out(report):
            yield self._line(text)
        yield self._line(f"{word(report)}{sentence(report)}")

    def _of_run(self, run: RunReport) -> Iterator[str]:
        for item in run.series:
            for incident in item.incidents:
                yield from self._finding(f"{run.run}:{item.tag}", incident)
        for finding in run.findings:
            yield from self._finding(run.run, finding)
        yield from map(_of_defect, run.defects)

    def _quiet(self, report: Report) -> Iterator[str]:
        yield from map(str, broken_runs(report))
        yield from damaged(report)

    def _rest(self, report: Report) -> Iterator[str]:
        """What belongs to no run."""
        for finding in report.findings:
            yield from self._finding(report.subject, finding)
        for defect in report.stray_defects:
            yield _of_defect(defect)
        for stale in report.stale_suppressions:
            yield f"{stale.file or 'suppress'}: stale suppression: {stale.suppression}: {stale.reason}"

    def _finding(self, where: str, finding: Incident | Finding) -> Iterator[str]:
        counts = finding.standing == "found"
        if self.view.verbosity > 0 or (counts and finding.severity is not Severity.INFO):
            step = first_step(finding)
            at = "" if step is None else f" at step {step:,}"
            apart = "" if counts else f" ({finding.standing}: {finding.standing_reason})"
            yield f"{where}: {finding.code} {finding.severity}{at}: {finding.message}{apart}"

    def _line(self, text: str) -> str:
        line = f"{shortened(printable(text))}\n"
        return line if self.view.unicode else line.encode("ascii", "replace").decode("ascii")


def _of_defect(defect: Defect) -> str:
    return f"{defect.place}: {defect.kind} defect: {defect.message}"
