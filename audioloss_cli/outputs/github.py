"""Annotations of GitHub Actions, as workflow commands, and the whole report in the summary of the step.

GitHub shows no more than ten errors, ten warnings and ten notices of a step: the gravest are chosen. Everything that
was found goes into ``$GITHUB_STEP_SUMMARY``, as Markdown and as much as GitHub takes.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from audioloss_cli import outputs
from audioloss_cli.model import Gate, Report, RunReport, Severity, View, shortened
from audioloss_cli.outputs._markdown import Page
from audioloss_cli.outputs._places import relative
from audioloss_cli.outputs._problems import Problem, of_audit, of_run
from audioloss_cli.outputs._verdict import plural, sentence, word

MOST = 10  # annotations of a kind
MOST_SUMMARY = 1 << 20  # bytes that GitHub takes of a summary; of a longer one it shows nothing
_ROOM = 16 << 10  # bytes for what stands around the rows
_WIDEST = 4  # bytes of a character


class Output(outputs.Output):
    """An error is what fails the audit; what is known or suppressed stands in the summary alone."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._gate = Gate()
        self._summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
        self._page = Page(self._gate)
        self._chosen: dict[tuple[str, Severity], list[str]] = {}
        self._count = 0

    def begin(self, gate: Gate) -> tuple[str, ...]:
        """See how much of the summary is left; nothing can be said yet."""
        self._gate = gate
        most = (MOST_SUMMARY - _size(self._summary) - _ROOM) // _WIDEST
        self._page = Page(gate, lambda size: size > most)
        return ()

    def run(self, run: RunReport) -> tuple[str, ...]:
        """Keep the gravest annotations, and the rows of the summary."""
        self._choose(of_run(run, self._gate))
        if self._summary:
            self._page.add(run)
        return ()

    def end(self, report: Report) -> Iterator[str]:
        """Yield the annotations and the verdict; write the summary.

        Raises:
            OSError: the summary cannot be written.
        """
        self._choose(of_audit(report))
        shown, gravest_first = 0, sorted(Severity, key=lambda severity: -severity.rank)
        for level in ("error", "warning", "notice"):
            ranked = [text for severity in gravest_first for text in self._chosen.get((level, severity), ())]
            shown += len(ranked[:MOST])
            yield from ranked[:MOST]
        more = f"; {self._count - shown:,} more {self._rest}" if self._count > shown else ""
        yield f"audioloss: {word(report)}{sentence(report)}; {plural(shown, 'annotation')}{more}\n"
        if self._summary:
            with Path(self._summary).open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.writelines(self._page.texts(report))

    @property
    def _rest(self) -> str:
        return "in the summary of the step" if self._summary else "are left out (no GITHUB_STEP_SUMMARY is set)"

    def _choose(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if problem.standing != "found":
                continue
            self._count += 1
            level = _level(problem)
            chosen = self._chosen.setdefault((level, problem.severity), [])
            if len(chosen) < MOST:
                chosen.append(self._annotation(level, problem))

    def _annotation(self, level: str, problem: Problem) -> str:
        title = self.shown(f"{problem.code} ({problem.severity})")
        place = f"file={_property(self.shown(relative(problem.path)))}," if problem.path else ""
        line = f"line={problem.line or 1}," if problem.path else ""
        text = _message(self.shown(shortened(problem.sentence)))
        return f"::{level} {place}{line}title={_property(title)}::{text}\n"


def _level(problem: Problem) -> str:
    if problem.fails:
        return "error"
    return "notice" if problem.severity is Severity.INFO else "warning"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size if file else 0
    except OSError:  # there is none yet
        return 0
