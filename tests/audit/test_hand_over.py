"""Runs are handed over while others are still to be read, in the order of the report."""

from pathlib import Path

import pytest

from audioloss_cli import scan
from audioloss_cli.audit import jobs
from tests.wobble import wobbly

HEALTHY = wobbly(3.0, 30)
LAYOUTS = {
    "files": ["b.jsonl", "a.jsonl", "c.jsonl"],
    "a directory that is named like what comes before it": [
        "a/log.jsonl",
        "a-1/log.jsonl",
        "a.b/log.jsonl",
        "a0/log.jsonl",
    ],
    "sources of one run among others": [
        "r/log.jsonl",
        "r/metrics.csv",
        "r/x/log.jsonl",
        "r/logs/b.jsonl",
        "q/log.jsonl",
    ],
    "two formats in one directory": ["d/a.jsonl", "d/z.csv", "d/b/log.jsonl", "d/y/log.jsonl", "e/log.jsonl"],
}


def write(root, names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = [value + 0.01 * number for value in HEALTHY]
        if name.endswith(".csv"):
            path.write_text("step,audio_loss\n" + "".join(f"{step},{value}\n" for step, value in enumerate(values)))
        else:
            rows = (f'{{"step": {step}, "audio_loss": {value}}}\n' for step, value in enumerate(values))
            path.write_text("".join(rows))


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_the_order_is_that_of_the_report(names, tmp_path):
    write(tmp_path, names)
    handed = []
    report = scan(tmp_path, finished=lambda run: handed.append((run.run, run.format)))
    assert handed == [(run.run, run.format) for run in report.runs]
    assert handed == sorted(handed)
    assert handed == [(run.run, run.format) for run in scan(tmp_path).runs]


def test_no_run_waits_for_the_last_one(tmp_path, monkeypatch):
    write(tmp_path, [f"run-{number}/log.jsonl" for number in range(9)])
    happened = []
    audit_runs = jobs.audit_runs

    def told(groups, *arguments, **more):
        for group, runs in zip(groups, audit_runs(groups, *arguments, **more), strict=True):
            happened.append(f"read {Path(group.name).parent.name}")
            yield runs

    monkeypatch.setattr(jobs, "audit_runs", told)
    scan(tmp_path, finished=lambda run: happened.append(f"done {Path(run.run).parent.name}"))
    assert happened == [f"{word} run-{number}" for number in range(9) for word in ("read", "done")]


def test_a_run_comes_with_its_curves_and_is_kept_without(tmp_path):
    write(tmp_path, ["a/log.jsonl", "b/log.jsonl"])
    parts = []
    report = scan(tmp_path, finished=lambda run: parts.append(len(run.series[0].envelope.parts)))
    whole = scan(tmp_path)
    assert parts == [len(run.series[0].envelope.parts) for run in whole.runs] == [30, 30]
    for kept, full in zip(report.runs, whole.runs, strict=True):
        (item,), (other,) = kept.series, full.series
        assert len(item.envelope.parts) == 1
        assert (item.points, item.span, item.extremes) == (other.points, other.span, other.extremes)
