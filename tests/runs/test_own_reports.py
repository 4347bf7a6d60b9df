"""A scan leaves out what audioloss wrote into the directory, and nothing that holds more than that."""

from pathlib import Path
from shutil import copytree

import pytest

from audioloss_cli import registry

SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"
RUNS = ("collapse-jsonl", "collapse-tensorboard", "no-shift", "recovery", "truncated")
LINES = "".join(f"step {step} audio_loss 0.0001\n" for step in range(400))
KINDS = [name for name in registry.names("outputs") if name != "plot"]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    for name in RUNS:
        copytree(SAMPLES / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_reports_of_every_kind_change_no_later_scan(audioloss, runs):
    before = audioloss("scan").out
    for kind in KINDS:
        (runs / kind).mkdir()
        (runs / kind / "train.log").write_text(audioloss("scan", "--report", kind).out)
    (runs / "train.log").write_text(audioloss("scan", "-v", "--color", "always").out)
    assert audioloss("scan").out == before


@pytest.mark.parametrize("kind", ["text", "concise", "github"])
@pytest.mark.parametrize("text", ["{report}{lines}", "{lines}{report}", "{report}{lines}{report}"])
def test_the_output_of_a_job_that_scans_and_trains_is_a_log(audioloss, runs, kind, text):
    report = audioloss("scan", "no-shift", "--report", kind).out
    (runs / "slurm-12.out").write_text(text.format(report=report, lines=LINES))
    scanned = audioloss("scan", "-q").out
    assert "slurm-12.out" in scanned
