"""What every output promises."""

import pytest

from audioloss_cli import registry
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from tests.outputs.reports import REPORTS

VIEWS = [View(), View(-1), View(1), View(color=True), View(width=40), View(width=200, unicode=False, verbosity=1)]


@pytest.mark.parametrize("name", registry.names("outputs"))
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_it_renders_any_report_for_any_view(name, report, view):
    text = render(name, report, view)
    assert text.endswith("\n")
    if not view.unicode:
        assert text.isascii()
    if not view.color:
        assert "\x1b" not in text


@pytest.mark.parametrize("name", registry.names("outputs"))
def test_it_has_a_caption(name):
    assert registry.load("outputs", name).__doc__
