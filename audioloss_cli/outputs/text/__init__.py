"""The report for people: verdict first, then each run's incidents, what to do next, defects last."""

from collections.abc import Iterator

from audioloss_cli.model import Report, View
from audioloss_cli.outputs.text.layout import Line
from audioloss_cli.outputs.text.painted import painted
from audioloss_cli.outputs.text.runs import run_lines
from audioloss_cli.outputs.text.sections import (
    advice_lines,
    defect_lines,
    diagnosis_lines,
    unaudited_lines,
    unread_lines,
)
from audioloss_cli.outputs.text.verdict import settings_lines, verdict_line


def render(report: Report, view: View) -> str:
    """Plain text, with ANSI colours where ``view`` wants them; only paths and tags are wider than ``view.width``."""
    text = painted(lines(report, view), color=view.color)
    return text if view.unicode else text.encode("ascii", "replace").decode("ascii")


def lines(report: Report, view: View) -> Iterator[Line]:
    """What the report says, whatever it is printed with."""
    yield verdict_line(report)
    if view.verbosity >= 0:
        yield from settings_lines(report, view)
        for part in (diagnosis_lines, run_lines, advice_lines, unaudited_lines, unread_lines, defect_lines):
            yield from part(report, view)
