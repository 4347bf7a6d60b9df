"""Many logs read together lead to the reports that each leads to by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.audit import jobs
from audioloss_cli.audit.jobs import reports_of
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.model import RunReport
from audioloss_cli.readers.tensorboard import arrays
from audioloss_cli.runs.discover import Source
from audioloss_cli.runs.group import RunGroup
from tests.event_files import scalar_event, write
from tests.wobble import wobbly

POINTERS = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Healthy ones, one that collapses, and several with something wrong in their files."""
    for number in range(8):
        values = wobbly(6.9, 100) + wobbly(0.001 if number == 3 else 6.5, 100)
        events = [scalar_event(step, {"audio_loss": value, "lr": 1.0}) for step, value in enumerate(values)]
        for part, place in enumerate((events[:120], events[120:])):
            write(tmp_path / f"run-{number}" / f"events.out.tfevents.{part}", place)
    cut = tmp_path / "run-4" / "events.out.tfevents.1"
    cut.write_bytes(cut.read_bytes()[:-5])
    flipped = tmp_path / "run-5" / "events.out.tfevents.0"
    data = bytearray(flipped.read_bytes())
    data[3000] ^= 4
    flipped.write_bytes(data)
    (tmp_path / "run-6" / "events.out.tfevents.0").write_bytes(POINTERS)
    return tmp_path


def told(report: RunReport) -> object:
    """All but fingerprints: those are seen from the scanned directory."""
    for incident in (incident for item in report.series for incident in item.incidents):
        assert incident.fingerprint
        incident.fingerprint = ""
    series = [(item.tag, bytes(item.series.steps), bytes(item.series.values), item.incidents) for item in report.series]
    return report.run, report.files, report.defects, report.tags, series


def test_the_reports_are_those_of_each_run(runs, monkeypatch):
    together, decoded = arrays.several, list[int]()

    def several(files, **options):
        decoded.append(len(files))
        return together(files, **options)

    monkeypatch.setattr(arrays, "several", several)
    monkeypatch.setattr(jobs, "BYTES_WORTH_ARRAYS", 0)
    every = [told(report) for report in scan(runs, points=True).runs]
    assert decoded == [15]
    each = [told(report) for run in sorted(runs.iterdir()) for report in scan(run, points=True).runs]
    assert every == each
    assert [len(item[2]) for item in every] == [0, 0, 0, 0, 1, 1, 1, 0]
    assert [bool(item[4][0][3]) for item in every] == [False] * 3 + [True] + [False] * 4


def test_a_log_that_has_gone_is_a_defect_of_its_run_alone(runs):
    """Between discovery and reading."""
    sources = [
        Source(str(run), "tensorboard", sorted(run.iterdir()), 1) for run in sorted(runs.iterdir()) if run.is_dir()
    ]
    sources[1].paths[0].unlink()
    groups = [RunGroup(source.run, [source]) for source in sources]
    found = [report for reports in reports_of(groups, AuditSettings(ScanConfig()), None) for report in reports]
    assert [defect.kind for defect in found[1].defects] == ["unreadable"]
    assert [report.series[0].points for report in found[:4]] == [200, 80, 200, 200]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


def test_what_else_is_imported_decides_nothing(runs, monkeypatch):
    """Here numpy is: by which way these few are read depends on them alone."""
    assert "numpy" in sys.modules
    monkeypatch.setattr(arrays, "several", pytest.fail)
    assert len(scan(runs).runs) == 8


@pytest.mark.skipif(os.name != "posix", reason="descriptors are limited otherwise")
def test_few_descriptors_are_enough_for_many_logs(runs):
    code = f"""
import resource
from audioloss_cli import scan
from audioloss_cli.audit import jobs
jobs.BYTES_WORTH_ARRAYS = 0
resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
print(sorted(defect.kind for run in scan({str(runs)!r}).runs for defect in run.defects))
"""
    assert python(code) == "['checksum', 'not-a-log', 'truncated']\n"


def test_a_few_small_logs_are_read_without_numpy(runs):
    code = f"""
import sys
from audioloss_cli import scan
print(len(scan({str(runs)!r}).runs), "numpy" in sys.modules)
"""
    assert python(code) == "8 False\n"
