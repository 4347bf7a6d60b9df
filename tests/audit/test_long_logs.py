"""What does not fit into memory is audited as if it did."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.audit import jobs, processes, run
from audioloss_cli.audit.run import report_on
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.model import Report, View, columns
from audioloss_cli.model.exit_code import INTERNAL
from audioloss_cli.outputs import render
from audioloss_cli.runs import align, gather
from audioloss_cli.storage import long_column
from audioloss_cli.storage.cache import reading
from audioloss_cli.storage.long_column import LongColumn
from audioloss_cli.storage.spill_file import SpillError
from tests.effort import one_in
from tests.event_files import scalar_event, write
from tests.make_samples import SAMPLES
from tests.simulator import FAMILIES, simulate
from tests.spilled import spilled
from tests.wobble import wobbly


def said(report: Report) -> list[str]:
    frames = report.to_frame()
    rendered = [render(name, report, View(verbosity=1)) for name in ("json", "text")]
    return [*rendered, frames.incidents.to_csv(), frames.points.to_csv()]


def long_columns(report: Report) -> int:
    return sum(isinstance(item.series.values, LongColumn) for run in report.runs for item in run.series)


@pytest.fixture
def little_memory(monkeypatch):
    """Of some hundred points as of billions: no block, part or choice holds a whole series."""
    for module in (gather, reading):
        monkeypatch.setattr(module, "POINTS_IN_MEMORY", 50)
    for module in (columns, long_column, align):
        monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(long_column, "_NEAR", 8)
    monkeypatch.setattr(align, "_MOST_POINTS", 100)
    monkeypatch.setattr(run, "_PART", 70)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("family", one_in(3, sorted(FAMILIES)))
def test_every_family_of_runs_gives_the_same_report(family, little_memory):
    for cadence in (10, 100):
        series = list(simulate(family, 1, cadence, 0.05).series.values())
        in_memory = Report(runs=[report_on("run", series, AuditSettings(ScanConfig(), keep_points=True))])
        in_a_file = Report(
            runs=[report_on("run", list(map(spilled, series)), AuditSettings(ScanConfig(), keep_points=True))]
        )
        assert said(in_a_file) == said(in_memory)


@pytest.mark.parametrize("sample", ["collapse-jsonl", "collapse-tensorboard", "exactly-zero", "nan", "recovery"])
def test_every_sample_gives_the_same_report(sample, request):
    in_memory = said(scan(SAMPLES / sample, points=True))
    request.getfixturevalue("little_memory")
    report = scan(SAMPLES / sample, points=True)
    assert long_columns(report) > 0
    assert said(report) == in_memory


@pytest.fixture
def runs(tmp_path):
    """Two long runs: one restarted, its gradient norm logged at other steps; one out of order."""
    steps = [*range(300), *range(250, 600)]
    values = [*wobbly(6.9, 500), *wobbly(0.001, 150)]
    events = [scalar_event(step, {"audio_loss": value}) for step, value in zip(steps, values, strict=True)]
    write(tmp_path / "restarted" / "x.tfevents", [*events, *(scalar_event(s, {"grad_norm": 1.0}) for s in steps[::2])])
    mixed = [scalar_event(step, {"audio_loss": values[step]}) for step in (i % 2 * 300 + i // 2 for i in range(600))]
    write(tmp_path / "mixed" / "x.tfevents", mixed)
    return tmp_path


def test_restarts_and_disorder_make_no_difference(runs, request):
    in_memory = said(scan(runs, points=True))
    request.getfixturevalue("little_memory")
    report = scan(runs, points=True)
    assert long_columns(report) == 1  # what had to be sorted is in memory
    assert said(report) == in_memory


def test_processes_hand_over_the_file(runs, request, monkeypatch):
    in_memory = said(scan(runs, points=True))
    monkeypatch.setattr(jobs, "BYTES_WORTH_PROCESSES", 0)
    monkeypatch.setattr(jobs, "BYTES_OF_A_BATCH", 1)
    monkeypatch.setattr(processes, "audited", _audited_with_little_memory)
    report = scan(runs, ScanConfig(jobs=2), points=True)
    assert long_columns(report) == 1
    assert said(report) == in_memory


def _audited_with_little_memory(*arguments, audited=processes.audited):
    """A process that was spawned knows nothing of the patches of a test."""
    gather.POINTS_IN_MEMORY = 50
    return audited(*arguments)


def test_a_cache_keeps_long_logs_and_goes_on_with_them(runs, request):
    log, config = runs / "restarted" / "x.tfevents", ScanConfig(cache=str(runs / "kept"))
    whole = log.read_bytes()
    in_memory = said(scan(log.parent, points=True))
    request.getfixturevalue("little_memory")
    log.write_bytes(whole[: len(whole) // 2])
    scan(log.parent, ScanConfig(cache=config.cache, allow_defects=True), points=True)
    log.write_bytes(whole)
    for _ in range(2):  # the tail is read, then nothing is
        report = scan(log.parent, config, points=True)
        assert long_columns(report) == 1
        assert said(report) == in_memory


def test_without_a_temporary_directory_processes_hand_over_the_points(runs, monkeypatch):
    in_memory = said(scan(runs, points=True))
    monkeypatch.setattr(jobs, "BYTES_WORTH_PROCESSES", 0)
    monkeypatch.setattr(jobs, "BYTES_OF_A_BATCH", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(runs / "none"))
    assert said(scan(runs, ScanConfig(jobs=2), points=True)) == in_memory


def test_without_a_temporary_directory_a_long_log_is_refused_with_a_remedy(runs, little_memory, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(runs / "none"))
    with pytest.raises(SpillError, match=r"none: the points of a long log do not fit there: .*TMPDIR"):
        scan(runs, points=True)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX's")
def test_a_disk_that_is_full_is_no_crash(runs):
    command = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "from audioloss_cli.runs import gather; gather.POINTS_IN_MEMORY = 50;"
        "from audioloss_cli.__main__ import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", command, "scan", str(runs)], check=False, capture_output=True, text=True
    )
    assert ran.returncode == INTERNAL, ran.stderr
    assert "the points of a long log do not fit there" in ran.stderr
    assert "TMPDIR" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert list(Path(runs).glob("audioloss-*")) == []
