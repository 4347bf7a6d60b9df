"""The end of the report: the broken runs, the worst first, and what the audit says."""

from collections.abc import Iterable, Iterator
from itertools import islice

from audioloss_cli.model import Report, View
from audioloss_cli.outputs._verdict import BrokenRun, broken_runs, damaged, left_out, sentence, word
from audioloss_cli.outputs.text.layout import STYLES, Line, line, paragraph

_COLORS = {"FAIL": "bold red", "PASS": "bold green"}
_MOST_LEFT_OUT = 20


def summary_lines(report: Report, view: View) -> Iterator[Line]:
    """A line for each broken run, and for each thing that was not audited where nothing else says so."""
    found = broken_runs(report)
    if view.verbosity >= 0:
        yield line()
    codes = max((len(each.code) for each in found), default=0)
    steps = max((len(_step(each)) for each in found), default=0)
    yield from (_broken(each, codes, steps) for each in found)
    if view.verbosity < 0:
        others = [*damaged(report), *left_out(report)]
        yield from map(line, islice(others, _MOST_LEFT_OUT))
        if len(others) > _MOST_LEFT_OUT:
            yield line(f"... and {len(others) - _MOST_LEFT_OUT:,} more")


def verdict_line(report: Report) -> Line:
    """PASS, FAIL, INCOMPLETE or NOT AUDITED, the exit code, what was found and in how much."""
    return line((word(report), _COLORS.get(word(report), "bold yellow")), sentence(report))


def settings_lines(report: Report, view: View) -> Iterable[Line]:
    """Which file had a say, lest it loosens the gate unseen, and how the audit was made."""
    if report.config_file or report.notes:
        yield line()
    if report.config_file:
        yield from paragraph(f"settings from {report.config_file}", view, indent=0)
    for note in report.notes:
        yield from paragraph(note, view, indent=0, hang=2)


def _broken(run: BrokenRun, codes: int, steps: int) -> Line:
    more = f" (and {run.more:,} more)" if run.more else ""
    name = f"  {run.fingerprint}" if run.fingerprint else ""
    severity = str(run.severity).upper()
    step = f"  {_step(run):<{steps}}" if steps else ""
    return line(
        (f"{severity:<8}", STYLES[run.severity]),
        f" {run.code:<{codes}}{step}{name}  ",
        (run.run, "bold"),
        more,
    )


def _step(run: BrokenRun) -> str:
    return "" if run.step is None else f"at step {run.step:,}"
