"""Many runs in several processes: the same reports in the same order."""

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.audit import jobs
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.runs.discover import Source
from audioloss_cli.runs.group import RunGroup
from tests.event_files import scalar_event, write
from tests.wobble import wobbly


def text(report) -> str:
    return render("json", report, View())


@pytest.fixture
def runs(tmp_path):
    for number in range(9):
        values = [*wobbly(6.9, 20), *wobbly(0.001, number)]
        write(
            tmp_path / f"run{number}" / "x.tfevents", [scalar_event(s, {"audio_loss": v}) for s, v in enumerate(values)]
        )
    (tmp_path / "run3" / "x.tfevents").write_bytes(b"no record at all")
    return tmp_path


@pytest.mark.parametrize("batch", [1, 3000, 1 << 20])
def test_processes_change_nothing(batch, runs, monkeypatch):
    monkeypatch.setattr(jobs, "BYTES_WORTH_PROCESSES", 0)
    monkeypatch.setattr(jobs, "BYTES_OF_A_BATCH", batch)
    alone, told = scan(runs, ScanConfig(jobs=1)), []
    together = scan(runs, ScanConfig(jobs=2), lambda done, total, run: told.append((done, run)))
    assert text(together) == text(alone)
    assert [run for _, run in told[1:]] == [run.run for run in alone.runs]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_processes_share_a_cache(runs, monkeypatch):
    monkeypatch.setattr(jobs, "BYTES_WORTH_PROCESSES", 0)
    monkeypatch.setattr(jobs, "BYTES_OF_A_BATCH", 1)
    config = ScanConfig(jobs=2, cache=str(runs / "kept"))
    first, second = scan(runs, config), scan(runs, config)
    assert text(first) == text(second) == text(scan(runs))
    assert len(list((runs / "kept").glob("*.reading"))) == 9


def test_a_pipe_is_waited_for_alone():
    sources = [Source(str(number), "jsonl", bytes=1, bounded=number != 2) for number in range(5)]
    groups = [RunGroup("", [source]) for source in sources]
    assert [[each.name for each in batch] for batch in jobs.batches(groups)] == [["0", "1", "2"], ["3", "4"]]
