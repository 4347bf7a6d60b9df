"""One line a finding."""

import re

from audioloss_cli.model import Finding, Severity, StaleSuppression, View
from audioloss_cli.model.report import Report, RunReport, Source
from audioloss_cli.outputs import render
from tests.outputs.reports import REPORTS, audited
from tests.wobble import wobbly


def lines(report: Report, **view) -> list[str]:
    return render("concise", report, View(**view)).splitlines()


def test_a_line_names_path_tag_code_severity_step_and_message(audioloss, jsonl):
    values = [*wobbly(3.0, 60), *wobbly(0.001, 30)]
    path = jsonl(*({"step": 10 * step, "train/audio_loss": value} for step, value in enumerate(values)))
    finding, verdict = audioloss("scan", path, "--report", "concise").out.splitlines()
    assert re.fullmatch(
        rf"{re.escape(str(path))}:train/audio_loss: critical-loss critical at step 600: loss 0\.\d+ at step \d+ .+",
        finding,
    )
    assert verdict == "FAIL (exit 1): 1 critical in 1 series of 1 run"


def test_a_clean_scan_is_the_verdict():
    assert lines(REPORTS["healthy"]) == ["PASS (exit 0): no incidents in 1 series of 1 run"]


def test_what_belongs_to_a_run_or_to_none():
    assert lines(REPORTS["several sources"])[1] == "runs/a: sources-disagree warning: loss differs"
    assert "NOT READ runs/a/metrics.parquet: there is no reader for it" in lines(REPORTS["several sources"])
    assert lines(REPORTS["defects"])[:3] == [
        "runs/a/f at byte 7: checksum defect: bad",
        "runs/c: unreadable defect: Permission denied",
        "runs/d:3: malformed defect: bad",
    ]
    assert lines(REPORTS["probe"])[:2] == [
        "the checkpoint and its data: empty-logits critical: no logits",
        "the checkpoint and its data: missing-weights warning: the checkpoint lacks a",
    ]
    assert lines(REPORTS["unaudited"])[0] == "NOT AUDITED runs/x: no loss among its scalars"


def test_what_does_not_count_is_listed_in_full_only():
    item = audited("loss", [3.0, 0.001])
    item.incidents[0].standing, item.incidents[0].standing_reason = "suppressed", "a sweep"
    known = Finding("sources-disagree", Severity.WARNING, "differ", standing="known", standing_reason="in known.json")
    report = Report(
        runs=[RunReport("runs/a", [Source("jsonl", [])], [item], [known])],
        stale_suppressions=[StaleSuppression("run = 'b'", "matches nothing", "audioloss.toml")],
    )
    verdict = "PASS (exit 0): no new incidents, 1 known, 1 suppressed, 1 stale suppression in 1 series of 1 run"
    stale = "audioloss.toml: stale suppression: run = 'b': matches nothing"
    assert lines(report) == [stale, verdict]
    incident, finding, *rest = lines(report, verbosity=1)
    assert incident.startswith("runs/a:loss: critical-loss critical at step 1: ")
    assert incident.endswith(" (suppressed: a sweep)")
    assert finding == "runs/a: sources-disagree warning: differ (known: in known.json)"
    assert rest == [stale, verdict]


def test_quiet_names_the_broken_runs():
    broken, verdict = lines(REPORTS["incidents"], verbosity=-1)
    assert broken == "CRITICAL critical-loss at step 1 runs/a (and 2 more)"
    assert verdict.startswith("FAIL")
