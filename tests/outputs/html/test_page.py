"""The page as text: complete, escaped, self-contained, and not too large. `test_browser.py` opens it."""

import math
import re

import pytest

from audioloss_cli import Gate, Limits, Series, Severity
from audioloss_cli.model import MISSING, Diagnosis, Finding, Report, StaleSuppression
from audioloss_cli.model.series_report import AuditedSeries
from tests.effort import exhaustive
from tests.outputs.html.made import HOSTILE, collapsed, mixed, page_of, run_of, shown
from tests.outputs.reports import audited
from tests.wobble import wobbly


def paths(page: str, tag: str, kind: str = "mean") -> list[list[tuple[int, int]]]:
    """Points of a curve, in units, one list a segment."""
    figure = page.partition(f'<b class="name">{tag}</b>')[2].partition("</figure>")[0]
    return [points(path) for path in re.findall(rf'<path class="{kind}" d="([^"]*)"', figure)]


def points(path: str) -> list[tuple[int, int]]:
    (x, y), *moves = [(int(a), int(b)) for a, b in re.findall(r"(-?\d+) ?(-?\d+)", path)]
    found = [(x, y)]
    for move_x, move_y in moves:
        x, y = x + move_x, y + move_y
        found.append((x, y))
    return found


def attribute(page: str, tag: str, name: str) -> float:
    figure = page[: page.index(f'<b class="name">{tag}</b>')].rpartition("<figure")[2]
    return float(re.search(rf'data-{name}="([^"]*)"', figure)[1])


def test_it_is_one_file_that_asks_for_nothing():
    page = page_of(mixed())
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert set(re.findall(r"\w+://[^\s\"')]+", page)) == {"http://www.w3.org/2000/svg"}  # a name, which nobody fetches
    assert re.findall(r"<(?:link|script|img|iframe|object)[^>]*(?:src|href)=\"([^\"]*)", page) == ["data:,"]
    assert "default-src 'none'" in page


def test_it_says_what_there_is_to_say():
    text = shown(page_of(mixed()))
    for each in (
        "FAIL (exit 1): 3 critical, 1 known, 1 suppressed, 2 defects, 1 file not read in 11 series of 7 runs",
        "critical critical-loss in train/audio_loss , steps 300 to 599",
        "300 points; worst 0.004 at step 300; unresolved: the run ended while it fired",
        "Fix: Stop the run",
        "what settles it: audioloss probe",
        "tensorboard: runs/a/events",
        "shared from tensorboard (400 points), text train.log (200 points)",
        "runs/e/events at byte 7 : checksum: bad",
        "note: no loss among its scalars",
        "there is no reader for it; export it as CSV",
        "runs/z : unreadable: Permission denied",
        "Files that are no logs of a training (1)",
        "What the codes mean",
    ):
        assert each in text, each


def test_what_is_known_and_what_is_suppressed_stand_apart():
    text = shown(page_of(mixed()))
    assert text.count("Known: in the baseline, does not fail the gate (1)") == 1
    assert text.count("Suppressed: by the configuration, does not fail the gate (1)") == 1
    assert "suppressed: measured without audio, until June" in text
    assert text.count("fingerprint 0123456789abcdef") == 2
    assert text.count(" Found (") == 2


def test_stale_suppressions_are_said():
    stale = StaleSuppression("code = 'low-loss'", "expired on 2026-03-01", "audioloss.toml")
    text = shown(page_of(Report(stale_suppressions=[stale])))
    assert "Suppressions that do nothing any more code = 'low-loss' : expired on 2026-03-01 ( audioloss.toml )" in text


def test_hostile_names_are_texts():
    page = page_of(mixed())
    assert page.count("<script>") == page.count("</script>") == 1
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert f"runs/{HOSTILE[:25]}" in shown(page)
    assert r"\u202eevil\x1b[31m\udcff" in page
    page.encode("utf-8")


def test_a_probe_has_its_diagnosis_and_its_findings():
    report = Report(
        Gate("critical"),
        findings=[
            Finding("empty-logits", Severity.CRITICAL, "no <b>logits</b>", {"shape": [0, 8], "mean": math.nan}),
            Finding("low-valid-fraction", Severity.WARNING, "few labels", standing="known"),
        ],
        notes=["device cpu"],
        diagnoses=[Diagnosis("no-shift", 1, ["no logits"], ["double-shift: 7 nats"], "keep the column")],
    )
    text = shown(page_of(report))
    assert "FAIL (exit 1): 1 critical, 1 known (fail on critical) device cpu Diagnosis no-shift" in text
    assert "Findings of the probe, found critical empty-logits no <b>logits</b> Evidence shape [0, 8] mean nan" in text
    assert "Findings of the probe, known: in the baseline" in text
    assert "Fix: keep the column Ruled out double-shift: 7 nats" in text
    assert '<section class="code" id="about-no-shift">' in page_of(report)


@pytest.mark.parametrize(
    "values", [[3.0, 2.5, 0.004, 2.0], [3.0, 0.0, 0.02, 2.0], [-1.0, 2.0, 0.5], [5.0], [1e300, 1e-300]]
)
def test_a_curve_holds_the_values_of_its_series(values):
    page = page_of(Report(runs=[run_of("a", [audited("loss", values)])]))
    (line,) = paths(page, "loss")
    top, unit, floor = (attribute(page, "loss", name) for name in ("top", "unit", "floor"))
    log = min(values) >= 0 and max(values) / min(value for value in values if value) >= 10
    read = [(0.0 if y == floor else 10 ** (top - y * unit)) if log else top - y * unit for _, y in line[: len(values)]]
    assert [x for x, _ in line[: len(values)]] == list(range(len(values)))
    precision = {"rel": 3e-4} if log else {"abs": 1e-5 * (max(values) - min(values) or max(values))}
    assert read == pytest.approx(values, **precision)


def test_extremes_of_long_series_are_kept():
    """Each part shows its lowest and its highest value: a spike of one step among 20,000 is not averaged away."""
    values = wobbly(3.0, 20_000)
    values[12_345] = 300.0
    page = page_of(Report(runs=[run_of("a", [audited("loss", values)])]))
    (band,) = paths(page, "loss", "band")
    top, unit = attribute(page, "loss", "top"), attribute(page, "loss", "unit")
    highest = min(y for _, y in band)
    assert 10 ** (top - highest * unit) == pytest.approx(300, rel=3e-4)
    assert min(x for x, y in band if y == highest) == pytest.approx(12_345, abs=20_000 / 64)


def test_values_that_are_none_leave_a_gap_that_is_marked():
    values = [3.0] * 5 + [math.nan, math.inf, MISSING] + [2.0] * 5
    page = page_of(Report(runs=[run_of("a", [audited("loss", values)])]))
    path = re.search(r'<path class="mean" d="([^"]*)"', page.partition("<figure")[2])[1]
    assert path.count("M") == 2
    assert '<rect class="gap" x="5" width="2"' in page
    assert "3 of 3 values not finite, steps 5 to 7" in page


def test_restarts_are_curves_of_their_own():
    series = Series("loss")
    series.steps.extend([*range(20), *range(10, 30)])
    series.values.extend([*wobbly(3.0, 20), *wobbly(2.0, 20)])
    series.wall_times.extend([0.0] * 40)
    item = AuditedSeries(series, "audio", Limits(), [0, 20], []).finished()
    page = page_of(Report(runs=[run_of("a", [item])]))
    first, second = paths(page, "loss")
    assert ([x for x, _ in first], [x for x, _ in second]) == (list(range(20)), list(range(10, 30)))
    assert page.count('<g class="earlier">') == 2  # the figure and the thumbnail
    assert "40 points, steps 0 to 29, 1 restart" in page


def test_codebooks_share_an_axis():
    page = page_of(mixed())
    tops = {attribute(page, f"train/loss_codebook_{number}", "top") for number in range(4)}
    assert len(tops) == 1
    assert attribute(page, "train/audio_loss", "top") not in tops


def test_it_is_ascii_where_nothing_else_can_be_shown():
    report = Report(runs=[run_of("läufe/ä", [audited("loss", [3.0])])])
    assert page_of(report, unicode=False).isascii()
    assert "läufe/ä" in shown(page_of(report, unicode=False))


def test_one_run_is_a_small_page():
    """Of the points that a series can have most are kept where something was found: 512 parts."""
    codebooks = [collapsed(f"train/loss_codebook_{number}") for number in range(12)]
    page = page_of(Report(runs=[run_of("runs/a", [collapsed(), *codebooks])]))
    assert len(page.encode()) < 200_000
    assert len(re.findall("<figure", page)) == 13


@pytest.mark.parametrize("runs", [40, *exhaustive(1000, 3000)])
def test_many_runs_are_a_page_that_opens(runs):
    item, codebooks = collapsed(), [collapsed(f"train/loss_codebook_{number}") for number in range(8)]
    page = page_of(Report(runs=[run_of(f"runs/{number}", [item, *codebooks]) for number in range(runs)]))
    assert len(page.encode()) < 20_000_000
    assert page.count("<tr ") == runs
    sections = re.split(r'<details(?: open)? class="run"', page)[1:]
    with_curves = sum("<figure" in section for section in sections)
    assert with_curves == len(sections) == runs or runs > 1000
    assert with_curves >= min(runs, 1000)
