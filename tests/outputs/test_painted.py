"""The text report beside the console of rich: what we print without it is what it would print."""

from io import StringIO
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from audioloss_cli.model import Report, View, printable
from audioloss_cli.outputs import render, text
from audioloss_cli.outputs.text.layout import STYLES, Line, line
from audioloss_cli.outputs.text.painted import painted
from tests.outputs.reports import REPORTS
from tests.outputs.test_contract import VIEWS

STYLES_OF_THE_REPORT = ["", "bold", "bold red", "bold green", "bold yellow", "red", "bold cyan", *STYLES.values()]


def by_rich(page: list[Line], *, color: bool, width: int) -> str:
    """The same lines through rich's own console, text and layout."""
    found = StringIO()
    console = Console(
        file=found,
        force_terminal=color,
        color_system="standard" if color else None,
        width=width,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=True,
        legacy_windows=False,
    )
    for parts in page:
        console.print(Text.assemble(*((printable(part), style) for part, style in parts)))
    return found.getvalue()


def pages(report: Report, view: View) -> list[list[Line]]:
    """The lines that make up a report, as many at a time as are painted together."""
    found = []
    with patch.object(text, "painted", lambda lines, color: found.append(list(lines)) or ""):
        render("text", report, view)
    return found


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_report_is_what_rich_would_print(report, view, color):
    for page in pages(report, view):
        assert painted(page, color=color) == by_rich(page, color=color, width=view.width)


@given(
    parts=st.lists(st.tuples(st.text(), st.sampled_from(STYLES_OF_THE_REPORT)), max_size=4),
    color=st.booleans(),
    width=st.integers(1, 100),
)
def test_any_line_is_what_rich_would_print(parts, color, width):
    page = [line(*parts)]
    assert painted(page, color=color) == by_rich(page, color=color, width=width)


def test_there_are_no_other_styles():
    used = {
        style
        for report in REPORTS.values()
        for view in VIEWS
        for page in pages(report, view)
        for parts in page
        for _, style in parts
    }
    assert {"", "bold", "bold red", "bold green"} <= used <= set(STYLES_OF_THE_REPORT)
