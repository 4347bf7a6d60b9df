"""The report for people: verdict first, then each run's incidents, what to do next, defects last."""

from io import StringIO

from rich.console import Console

from audioloss_cli.outputs.text.runs import run_lines
from audioloss_cli.outputs.text.sections import advice_lines, defect_lines, diagnosis_lines, unaudited_lines
from audioloss_cli.outputs.text.verdict import settings_lines, verdict_line
from audioloss_cli.records import Report, View, printable


def render(report: Report, view: View) -> str:
    """Plain text, with ANSI colours where ``view`` wants them; only paths and tags are wider than ``view.width``."""
    page = StringIO()
    console = Console(
        file=page,
        force_terminal=view.color,
        color_system="standard" if view.color else None,
        width=view.width,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=True,
        legacy_windows=False,
    )
    lines = [verdict_line(report)]
    if view.verbosity >= 0:
        lines += settings_lines(report, view)
        lines += [*diagnosis_lines(report, view), *run_lines(report, view), *advice_lines(report, view)]
        lines += [*unaudited_lines(report, view), *defect_lines(report, view)]
    for line in lines:
        line.plain = printable(line.plain)  # one character stands for one, so that styles keep their place
        console.print(line)
    text = page.getvalue()
    return text if view.unicode else text.encode("ascii", "replace").decode("ascii")
