"""An audit as GitHub-flavoured Markdown, for the reports that need it: tables of what was found, and what to do."""

import re
from collections.abc import Callable, Iterator

from audioloss_cli.model import Gate, Report, RunReport, Severity, printable, shortened
from audioloss_cli.outputs._problems import Problem, of_audit, of_run
from audioloss_cli.outputs._verdict import sentence, word

_HEADER = "| severity | run | series | code | steps | what | fingerprint |\n|---|---|---|---|---|---|---|\n"
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&$]")
_LINKS = re.compile(r"(?i)(www)\.|([a-z]):(?=//)")
_TICKS = re.compile(r"`+")


def code(text: str) -> str:
    """Return a stranger's name as a code span, in which nothing is a link, a mention or markup; fit for a table."""
    text = shortened(printable(text)).replace("|", "\\|")
    if not text.strip():
        return ""
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def prose(text: str) -> str:
    """Return a sentence in which nothing that a stranger wrote is markup, a link or a mention."""
    text = _SPECIAL.sub(lambda found: "\\" + found[0], shortened(printable(text)))
    text = _LINKS.sub(lambda found: f"{found[1]}\\." if found[1] else f"{found[2]}\\:", text)
    return text.replace("@", "@<!-- -->")


class Page:
    """The report, run by run: rows are kept as texts, since the verdict stands before them.

    Args:
        gate: what fails the audit.
        enough: tells whether to leave out further rows, by the number of characters so far.
    """

    def __init__(self, gate: Gate, enough: Callable[[int], bool] = lambda _: False) -> None:
        self._gate, self._enough = gate, enough
        self._found, self._known, self._suppressed = list[str](), list[str](), list[str]()
        self._incomplete, self._stale = list[str](), list[str]()
        self._advice: dict[str, str] = {}
        self._size = self._left_out = 0

    def add(self, run: RunReport) -> None:
        """Keep the rows of a run."""
        for problem in of_run(run, self._gate):
            self._add(problem)

    def texts(self, report: Report) -> Iterator[str]:
        """Yield the page; it ends in a newline."""
        for problem in of_audit(report):
            self._add(problem)
        yield f"# audioloss: {word(report)}{sentence(report)}\n"
        if report.config_file:
            yield f"\nSettings from {code(report.config_file)}.\n"
        for note in report.notes:
            yield f"\n{prose(note)}\n"
        yield from _diagnoses(report)
        yield from _table("Found", self._found)
        if self._left_out:
            yield f"\n{self._left_out:,} more are left out here.\n"
        yield from _list("What to do next", [f"{code(key)}: {prose(text)}" for key, text in self._advice.items()])
        yield from _list("Not audited in full", self._incomplete)
        yield from _table("Known, from the baseline", self._known)
        yield from _table("Suppressed", self._suppressed)
        yield from _list("Suppressions that do nothing any more", self._stale)

    def _add(self, problem: Problem) -> None:
        if self._enough(self._size):
            self._left_out += 1
            return
        is_incomplete = problem.kind not in ("incident", "finding")
        text = _item(problem) if is_incomplete else _row(problem)
        self._size += len(text)
        if is_incomplete:
            (self._stale if problem.kind == "stale-suppression" else self._incomplete).append(text)
            return
        {"found": self._found, "known": self._known, "suppressed": self._suppressed}[problem.standing].append(text)
        if problem.advice and problem.standing == "found" and problem.severity is not Severity.INFO:
            self._advice.setdefault(problem.code, problem.advice)


def _row(problem: Problem) -> str:
    incident = problem.incident
    steps = f"{incident.first_step:,} to {incident.last_step:,}" if incident is not None else ""
    reason = f" ({problem.standing}: {problem.standing_reason})" if problem.standing_reason else ""
    cells = (
        f"**{problem.severity}**" if problem.fails else str(problem.severity),
        code(problem.run),
        code(problem.tag),
        code(problem.code),
        steps,
        prose(problem.message + reason),
        code(problem.fingerprint),
    )
    return f"| {' | '.join(cells)} |\n"


def _item(problem: Problem) -> str:
    place = problem.path or problem.run
    text = problem.message.removeprefix(f"{place}: ")
    return f"{code(place)}: {prose(text)}" if place else prose(text)


def _diagnoses(report: Report) -> Iterator[str]:
    for diagnosis in report.diagnoses:
        about = f" of {code(diagnosis.about)}" if diagnosis.about else ""
        yield f"\n## {diagnosis.rank}. {code(diagnosis.cause)}{about}\n\n"
        yield from (f"- {prose(clause)}\n" for clause in diagnosis.evidence)
        yield f"\nFix: {prose(diagnosis.fix)}\n"
    for clauses in [diagnosis.ruled_out for diagnosis in report.diagnoses[:1]]:
        yield from _list("Ruled out", [prose(clause) for clause in clauses])


def _table(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield f"\n## {title}\n\n{_HEADER}"
        yield from rows


def _list(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield f"\n## {title}\n\n"
        yield from (f"- {item}\n" for item in items)
