"""Charts in the terminal: where the curve stands, what the axes say, what is marked."""

import math
import re

import pytest

from audioloss_cli.model import Report, View
from audioloss_cli.outputs import render
from tests.outputs.html.made import HOSTILE, collapsed, run_of, standing
from tests.outputs.reports import audited
from tests.wobble import wobbly

ANSI = re.compile(r"\x1b\[\d+m")


def plotted(*runs, **view) -> str:
    return render("plot", Report(runs=list(runs)), View(**{"width": 80, **view}))


def body(text: str) -> list[str]:
    """The raster of the first chart, its rows from the top."""
    return [line.partition("┤")[2] or line.partition("│")[2] for line in text.splitlines() if re.search("[┤│]", line)]


def level(rows: list[str], column: int) -> int:
    """The highest row that has something in a column."""
    return next(number for number, row in enumerate(rows) if row.ljust(200)[column] != " ")


def test_a_collapse_falls_from_the_top_to_the_bottom():
    text = plotted(run_of("runs/a", [collapsed()]))
    rows = body(text)
    assert len(rows) == 16
    assert level(rows, 5) == 0
    assert level(rows, 60) == 15
    assert "train/audio_loss  (log scale)" in text
    assert re.findall(r"^ +([\d.]+) ┤", text, flags=re.MULTILINE) == ["1", "0.1", "0.01"]
    (steps,) = re.findall(r"^ +steps  (.*)$", text, flags=re.MULTILINE)
    assert steps.split() == ["0", "200", "400"]
    (alerts,) = re.findall(r"^ +alerts a  (.*)$", text, flags=re.MULTILINE)
    assert alerts.count("!") == len(alerts) - alerts.index("!")
    assert alerts.index("!") in (33, 34)  # from the middle on
    assert "a  runs/a\n     600 points, 0.004 to 3" in text
    assert text.endswith("FAIL (exit 1): 1 critical in 1 series of 1 run\n")


def test_a_spike_of_one_step_is_kept():
    values = wobbly(3.0, 20_000)
    values[10_000] = 300.0
    rows = body(plotted(run_of("runs/a", [audited("loss", values)])))
    assert [level(rows, column) for column in (10, 33, 60)] == [15, 0, 15]


def test_runs_lie_over_each_other_by_letter_or_by_colour():
    runs = run_of("runs/a", [audited("loss", [2.0] * 50)]), run_of("runs/b", [audited("loss", [1.0] * 50)])
    plain = body(plotted(*runs))
    assert set("".join(plain).replace(" ", "")) == {"a", "b"}
    assert level(plain, 3) < next(number for number, row in enumerate(plain) if "b" in row)
    colored = plotted(*runs, color=True)
    assert {"\x1b[36m", "\x1b[33m"} <= set(ANSI.findall(colored))
    assert any(0x2800 < ord(char) < 0x2900 for char in colored)


def test_ascii_and_narrow_terminals_have_charts_too():
    text = plotted(run_of("runs/ä", [collapsed()]), unicode=False, width=40)
    assert text.isascii()
    assert max(map(len, text.splitlines()[:18])) <= 40
    assert len(plotted(run_of("runs/a", [collapsed()]), width=1)) > 100


def test_standings_and_values_that_are_none_are_marked():
    gone = audited("loss", [3.0] * 50 + [math.nan] * 50)
    assert re.search("alerts a  {33,}!{30,}\n", plotted(run_of("a", [gone])))
    gone.incidents = []
    assert re.search("alerts a  +x{30,}\n", plotted(run_of("a", [gone])))
    assert re.search("alerts a  +k{30,}\n", plotted(run_of("a", [standing(collapsed(), "known")])))
    assert re.search("alerts a  +s{30,}\n", plotted(run_of("a", [standing(collapsed(), "suppressed", "x")])))


def test_nothing_finite_and_a_single_point():
    assert "5 points, no value is finite" in plotted(run_of("a", [audited("loss", [math.nan] * 5)]))
    assert "1 point, 3 to 3, ends at 3" in plotted(run_of("a", [audited("loss", [3.0])]))
    assert "(linear scale)" in plotted(run_of("a", [audited("loss", [-1.0, 5.0])]))


def test_hostile_names_are_escaped():
    text = plotted(run_of(HOSTILE, [audited(f"loss {HOSTILE}", [3.0] * 9)]))
    assert text.replace("\n", "").isprintable()
    assert r"\u202eevil\x1b[31m\udcff" in text


def test_too_many_are_counted():
    many = plotted(*(run_of(f"runs/{number}", [audited("loss", [3.0] * 5)]) for number in range(11)))
    assert "... and 3 more runs, which are not drawn" in many
    tags = plotted(run_of("a", [audited(f"loss_{number}", [3.0] * 5) for number in range(15)]))
    assert "... and 3 more tags, which are not drawn; choose with --tag" in tags


@pytest.mark.parametrize("values", [[1e308, -1e308, 0.0], [5e-324, 5e-324], [0.0, 0.0], [1e300, 1e-300]])
def test_extreme_values_have_room(values):
    assert len(body(plotted(run_of("a", [audited("loss", values)])))) == 16
