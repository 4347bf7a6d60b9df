"""The report for people: verdict first, then each run's incidents, what to do next, defects last."""

from io import StringIO

from rich.console import Console

from audioloss_cli.outputs.text.runs import run_lines
from audioloss_cli.outputs.text.sections import advice_lines, defect_lines, diagnosis_lines, unaudited_lines
from audioloss_cli.outputs.text.verdict import verdict_line
from audioloss_cli.records import Report, View


def render(report: Report, view: View) -> str:
    """Plain text, with ANSI colours where ``view`` wants them; only paths and tags are wider than ``view.width``."""
    console = Console(
        file=StringIO(),
        force_terminal=view.color,
        no_color=not view.color,
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
        lines += [*run_lines(report, view), *diagnosis_lines(report, view), *advice_lines(report, view)]
        lines += [*unaudited_lines(report, view), *defect_lines(report, view)]
    for line in lines:
        # A log's tags are a stranger's bytes: no escape sequence of theirs reaches the terminal. One character stands
        # for one, so that styles keep their place.
        line.plain = "".join(char if char.isprintable() or char == "\n" else "?" for char in line.plain)
        console.print(line)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO given above
    return str(text) if view.unicode else str(text).encode("ascii", "replace").decode("ascii")
