"""The report for people: verdict first, then each run's incidents, what to do next, defects last."""

from collections.abc import Iterable, Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Report, RunReport, View
from audioloss_cli.outputs.text.layout import Line
from audioloss_cli.outputs.text.painted import painted
from audioloss_cli.outputs.text.runs import Runs
from audioloss_cli.outputs.text.sections import (
    advice_lines,
    defect_lines,
    diagnosis_lines,
    unaudited_lines,
    unread_lines,
)
from audioloss_cli.outputs.text.verdict import settings_lines, verdict_line


class Output(outputs.Output):
    """Plain text, with ANSI colours where ``view`` wants them; only paths and tags are wider than ``view.width``."""

    suffixes = (".txt", ".log")

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._runs = Runs(view, self._text)

    def run(self, run: RunReport) -> Iterable[str]:
        """Take in the run: its lines stand behind the verdict."""
        if self.view.verbosity >= 0:
            self._runs.add(run)
        return ()

    def end(self, report: Report) -> Iterator[str]:
        """Yield all of the report."""
        yield self._text([verdict_line(report)])
        if self.view.verbosity < 0:
            return
        yield self._text(settings_lines(report, self.view))
        yield self._text(diagnosis_lines(report, self.view))
        yield from self._runs.texts()
        for part in (advice_lines, unaudited_lines, unread_lines, defect_lines):
            yield self._text(part(report, self.view))

    def _text(self, lines: Iterable[Line]) -> str:
        text = painted(lines, color=self.view.color)
        return text if self.view.unicode else text.encode("ascii", "replace").decode("ascii")
