"""The report for people."""

import pytest

from audioloss_cli import AudioLossMonitor, Report, Series
from audioloss_cli.model import RunReport, View
from audioloss_cli.model.envelope import Envelope
from audioloss_cli.model.report import Source
from audioloss_cli.outputs import render
from audioloss_cli.outputs.text.sparkline import alert_row, sparkline
from tests.outputs.reports import REPORTS, audited
from tests.wobble import wobbly


def lines(name: str, **view) -> list[str]:
    return render("text", REPORTS[name], View(**view)).splitlines()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("empty", "PASS (exit 0): nothing found"),
        ("healthy", "PASS (exit 0): no incidents in 1 series of 1 run"),
        ("incidents", "FAIL (exit 1): 2 critical, 1 warning in 2 series of 2 runs"),
        ("defects", "INCOMPLETE (exit 3): no incidents, 3 defects in 1 series of 1 run"),
        ("unaudited", "NOT AUDITED (exit 3): nothing found"),
        ("probe", "FAIL (exit 1): 1 critical, 1 warning (fail on critical)"),
        ("checkpoints", "FAIL (exit 1): 1 critical, 1 known in 1 series of 1 run and 2 checkpoints"),
    ],
)
def test_the_verdict_comes_last_and_with_the_broken_runs_alone_when_quiet(name, verdict):
    assert lines(name)[-1] == verdict
    *broken, last = lines(name, verbosity=-1)
    assert last == verdict
    assert {
        "incidents": ["CRITICAL critical-loss  at step 1  runs/a (and 2 more)"],
        "checkpoints": ["CRITICAL non-finite-weights  runs/a/checkpoint-500"],
        "probe": ["CRITICAL empty-logits  the checkpoint and its data (and 1 more)"],
        "defects": ["DAMAGED runs/a: 1 defect", "DAMAGED runs/c: unreadable", "DAMAGED runs/d: malformed"],
        "unaudited": ["NOT AUDITED runs/x: no loss among its scalars"],
    }.get(name, []) == broken


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "hostile names"])
def test_nothing_is_wider_than_80_columns(name):
    assert [line for line in lines(name, verbosity=1) if len(line) > 80] == []


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "hostile names"])
def test_prose_is_nowhere_wider_than_100_columns(name):
    """Whatever the terminal has; the curve and the row under it take all of it."""
    wide = [line for line in lines(name, verbosity=1, width=200) if len(line) > 100]
    assert [line for line in wide if " lowest " not in line and line.strip(" !wi")] == []


def test_a_checkpoint_shows_what_lies_in_it_and_the_modules_that_tell_something():
    text = lines("checkpoints")
    start = text.index("runs/a/checkpoint-500  [HF Trainer checkpoint]")
    extent = " ".join(line.strip() for line in text[start + 1 : start + 3])
    assert extent == (
        "step 500, Higgs Audio v2, 13 tensors, 1,008,208 parameters, BF16 + F32, 2.0 MB, against runs/a/checkpoint-0"
    )
    rows = [line.split() for line in text[start + 4 : start + 7]]
    assert rows == [
        ["module", "tensors", "parameters", "norm", "change", "dtype"],
        ["audio_lm_head", "1", "8,208", "unchanged", "BF16"],
        ["layers.*.mlp", "12", "1,000,000", "12.5", "1.23%", "BF16+F32"],
    ]
    assert "1 clean checkpoint (1 tensor); -v shows it" in text
    assert any("loading it imports: os.system" in line for line in lines("checkpoints", verbosity=1))


def test_a_timeline_names_steps_times_values_and_the_end():
    text = "\n".join(lines("incidents"))
    assert "CRITICAL critical-loss, steps 1 to 2, 2 points" in text
    assert "recovered at step 3" in text
    assert "step         2 2023-11-14 22:13:22Z escalated critical-loss      0.001" in text
    assert "missing" in text
    assert "WARNING sustained-low-loss, steps 159 to 358" in text
    assert "unresolved: the run ended while it fired" in text
    assert text.index("What to do next") < text.index("critical-loss\n    Stop the run")


@pytest.mark.parametrize("verbosity", [0, 1])
def test_a_series_that_the_thresholds_do_not_apply_to_says_why(verbosity):
    reason = "it starts at 0.05, which is no cross entropy over codes (--kind ce applies them)"
    text = " ".join(" ".join(lines("small by nature", verbosity=verbosity)).split())
    assert f"small by nature, to which the fixed thresholds do not apply: {reason}" in text
    assert "small by nature" not in "\n".join(lines("healthy", verbosity=verbosity))


def test_a_series_above_the_thresholds_needs_no_excuse():
    item = audited("loss", [0.05, 0.04], kind="small", kind_reason="declared")
    report = Report(runs=[RunReport("runs/a", [Source("jsonl", [])], [item])])
    assert ["declared" in render("text", report, View(verbosity)) for verbosity in (0, 1)] == [False, True]


def test_defects_are_named_with_their_place():
    found = lines("defects")
    assert found[found.index("Defects") + 1 :][:3] == [
        "  runs/a/f at byte 7: checksum: bad",
        "  runs/c: unreadable: Permission denied",
        "  runs/d:3: malformed: bad",
    ]


def test_a_strangers_escape_sequence_reaches_no_terminal():
    text = render("text", REPORTS["hostile names"], View(color=True))
    assert "\x1b[31mred" not in text
    assert "\x07" not in text
    assert "[bold]x[/bold] :smile:" in text


def test_colours_only_where_wanted():
    assert "\x1b[" in render("text", REPORTS["incidents"], View(color=True))
    assert "\x1b[" not in render("text", REPORTS["incidents"], View())


def envelope(values: list[float]) -> Envelope:
    return Envelope.of(Series("loss", range(len(values)), values), [0], 512)


def test_a_sparkline_falls_with_the_loss():
    assert sparkline(envelope([8.0, 7, 6, 5, 4, 3, 2, 1]), 8, unicode=True) == "█▇▆▅▄▃▂▁"
    assert sparkline(envelope([8.0, 7, 6, 5, 4, 3, 2, 1]), 4, unicode=False) == "#*-_"
    assert sparkline(envelope([1.0, float("nan"), 2.0]), 10, unicode=True) == "▁x█"
    assert sparkline(envelope([1.0, 1.0]), 10, unicode=True) == "▁▁"
    assert sparkline(envelope([-1.7e308, 1.7e308, *[1.7e308] * 8]), 2, unicode=True) == "▁█"


def test_the_alert_row_stands_under_the_incidents():
    item = audited("loss", [*wobbly(3.0, 10), *wobbly(0.001, 10), *wobbly(3.0, 180), *wobbly(0.007, 20)])
    assert alert_row(item, 220) == " " * 10 + "!" * 10 + " " * 180 + "w" * 20
    assert alert_row(item, 22) == " !" + " " * 18 + "ww"


def test_what_is_no_trouble_has_no_end():
    values = [55.4 - 0.1 * (number % 7) - 0.2 * number for number in range(60)]
    item = audited("train/audio_loss", values, make=AudioLossMonitor)
    assert [incident.code for incident in item.incidents] == ["sum-scale"]
    text = render("text", Report(runs=[RunReport("runs/sum", [Source("toy", [])], series=[item])]), View())
    assert "INFO sum-scale, steps" in text
    assert "unresolved" not in text
