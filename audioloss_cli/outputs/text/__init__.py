"""The report for people: runs with incidents, what to do next, what was not audited, the broken runs, the verdict.

The verdict comes last, where the reader of a terminal looks first.
"""

from collections.abc import Iterable, Iterator

from audioloss_cli import outputs
from audioloss_cli.model import Report, RunReport, View
from audioloss_cli.outputs.text.clean import CleanRuns
from audioloss_cli.outputs.text.layout import Line
from audioloss_cli.outputs.text.painted import painted
from audioloss_cli.outputs.text.runs import is_clean, run_lines
from audioloss_cli.outputs.text.sections import (
    advice_lines,
    defect_lines,
    diagnosis_lines,
    suppression_lines,
    unaudited_lines,
    unread_lines,
)
from audioloss_cli.outputs.text.verdict import settings_lines, summary_lines, verdict_line

_VERDICT_ALONE = -2
_SECTIONS = (diagnosis_lines, advice_lines, unaudited_lines, unread_lines, defect_lines, suppression_lines)


class Output(outputs.Output):
    """Plain text, with ANSI colours where ``view`` wants them; only paths and tags are wider than ``view.width``."""

    suffixes = (".txt", ".log")

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._clean = CleanRuns()
        self._begun = False

    def run(self, run: RunReport) -> Iterator[str]:
        """Yield all that was found in the run; with -v every run, without it clean ones are counted."""
        if self.view.verbosity > 0 or (self.view.verbosity == 0 and not is_clean(run)):
            yield self._text(run_lines(run, self.view))
        elif self.view.verbosity == 0:
            self._clean.add(run, self.view)

    def end(self, report: Report) -> Iterator[str]:
        """Yield what is said of all runs together, and the verdict."""
        if self.view.verbosity >= 0:
            for part in _SECTIONS:
                yield self._text(part(report, self.view))
            yield self._text(self._clean.lines(self.view))
            yield self._text(settings_lines(report, self.view))
        if self.view.verbosity > _VERDICT_ALONE:
            yield self._text(summary_lines(report, self.view))
        yield self._text([verdict_line(report)])

    def _text(self, lines: Iterable[Line]) -> str:
        """The lines as text; no report begins with a blank one."""
        text = painted(lines, color=self.view.color)
        if not self._begun:
            text = text.removeprefix("\n")
            self._begun = bool(text)
        return text if self.view.unicode else text.encode("ascii", "replace").decode("ascii")
