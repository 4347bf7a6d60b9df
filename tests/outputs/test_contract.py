"""What every output promises."""

import re
from copy import deepcopy

import pytest

from audioloss_cli import Report, outputs
from audioloss_cli.model import View
from tests.outputs.reports import REPORTS

VIEWS = [View(), View(-1), View(1), View(color=True), View(width=40), View(width=200, unicode=False, verbosity=1)]
_TIMESTAMP = re.compile(r'timestamp="[^"]*"')


@pytest.fixture(autouse=True)
def _not_in_github(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.mark.sampled(7)  # of which no number of kinds, reports or views is a multiple: each is tried with others
@pytest.mark.parametrize("name", outputs.names())
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_it_renders_any_report_for_any_view(name, report, view):
    text = outputs.render(name, report, view)
    assert text.endswith("\n")
    if not view.unicode:
        assert text.isascii()
    if not view.color:
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", outputs.names())
def test_it_has_a_caption(name):
    assert outputs.kind(name).__module__.endswith(name)
    assert outputs.registry.docstring("outputs", name)


def streamed(name: str, report: Report) -> str:
    """The report as a scan writes it: nothing of a curve is there any more once its run was handed over."""
    output = outputs.kind(name)(View())
    texts = [*output.begin(report.gate)]
    for run in report.runs:
        texts += output.run(run)
        run.drop_curves()
    return "".join([*texts, *output.end(report)])


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", outputs.names())
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_what_it_says_of_a_run_it_says_without_keeping_it(name, report):
    whole = outputs.render(name, report, View())
    assert _TIMESTAMP.sub("", streamed(name, deepcopy(report))) == _TIMESTAMP.sub("", whole)


@pytest.mark.parametrize("name", outputs.names())
@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("incidents", ("critical-loss",)),
        ("defects", ("runs/c", "defect")),
        ("unaudited", ("runs/x", "unaudited")),
        ("several sources", ("metrics.parquet", "unread")),
        ("probe", ("empty-logits", "critical")),
        ("checkpoints", ("non-finite-weights", "critical")),
    ],
)
def test_trouble_is_never_silent(name, report, words):
    text = outputs.render(name, REPORTS[report], View())
    assert any(word in text for word in words)


@pytest.mark.parametrize("name", outputs.names())
def test_known_and_suppressed_stand_apart(name):
    text = outputs.render(name, REPORTS["standings"], View(1)).lower()
    assert "known" in text
    assert "suppressed" in text
