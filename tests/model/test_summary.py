"""What a report shows of itself in an interactive session and in a notebook."""

from html.parser import HTMLParser

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model import summary
from tests.outputs.reports import REPORTS
from tests.wobble import wobbly


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def read(html):
    parser = Cells()
    parser.feed(html)
    return parser


@pytest.fixture
def low(jsonl):
    losses = [*wobbly(3.0, 40), 0.001, 0.001]
    return jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate(losses)), name="run <b>.jsonl")


def test_a_report_is_three_lines(low):
    verdict, gravest, more = repr(scan(low)).split("\n")
    assert verdict == "Report: FAIL (exit code 1): 1 critical, 0 warning in 1 series of 1 runs"
    assert gravest == f"Gravest: critical-loss, steps 40 to 41, audio_loss of {low}"
    assert more.startswith("More: .incidents")
    assert repr(scan(low, ScanConfig(kind="small"))).split("\n")[1] == "Gravest: nothing was found"


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_so_is_every_report_whatever_it_holds(name):
    lines = repr(REPORTS[name]).split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert f"exit code {REPORTS[name].exit_code}" in lines[0]
    assert set(read(REPORTS[name]._repr_html_()).tags) <= {"p", "table", "tr", "th", "td"}


def test_a_path_that_was_not_audited_is_told(tmp_path):
    assert "\nNot audited: " in repr(scan(tmp_path))


def test_a_notebook_gets_a_table_in_which_names_are_escaped(low, jsonl):
    healthy = jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate(wobbly(3.0, 40))), name="a.jsonl")
    shown = read(scan([healthy, low])._repr_html_())
    assert (shown.tags.count("table"), shown.tags.count("tr"), "b" in shown.tags) == (1, 3, False)
    texts = shown.texts
    assert texts.index(str(low)) < texts.index(str(healthy))  # the bad one first
    assert {"critical", "critical-loss", "40 to 41", "0.001"} <= set(texts)


def test_a_table_of_many_runs_is_cut_and_says_so(jsonl, tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "_MOST_ROWS", 3)
    for number in range(5):
        jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate(wobbly(3.0, 9))), name=f"{number}.jsonl")
    html = scan(tmp_path)._repr_html_()
    assert read(html).tags.count("tr") == 4
    assert "... and 2 more rows" in html
