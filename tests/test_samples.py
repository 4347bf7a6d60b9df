"""Each sample gives the report that lies beside it, and real writers still write the same sample."""

import json

import pytest

from audioloss_cli import scan
from tests.make_samples import SAMPLES, WRITERS

EXIT_CODES = {
    "collapse-jsonl": 1,
    "collapse-tensorboard": 1,
    "exactly-zero": 1,
    "healthy": 0,
    "nan": 1,
    "recovery": 1,
    "truncated": 3,
}


def test_every_sample_has_its_writer_and_its_exit_code():
    assert {path.name for path in SAMPLES.iterdir() if path.is_dir()} == set(WRITERS) == set(EXIT_CODES)


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_report_is_the_one_beside_it(name, audioloss, monkeypatch):
    monkeypatch.chdir(SAMPLES.parent)
    ran = audioloss("scan", f"sample_logs/{name}", "--report", "json")
    assert ran.code == EXIT_CODES[name]
    assert json.loads(ran.out) == json.loads((SAMPLES / name / "report.json").read_text())


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_writers_still_write_it(name, tmp_path):
    (tmp_path / name).mkdir()
    WRITERS[name](tmp_path / name)
    made, kept = scan(tmp_path / name).to_frame().points, scan(SAMPLES / name).to_frame().points
    assert made.drop(columns="run").equals(kept.drop(columns="run"))


@pytest.mark.parametrize("name", ["collapse-jsonl", "collapse-tensorboard"])
def test_the_collapse_is_named_at_its_true_step(name, audioloss):
    text = audioloss("scan", SAMPLES / name).out
    assert "CRITICAL critical-loss, steps 490 to 1,000" in text
    assert "at step 500 is below the critical threshold 0.005" in text


def test_all_samples_in_one_scan(audioloss):
    ran = audioloss("scan", SAMPLES)
    assert ran.code == 1
    assert ran.out.startswith("FAIL (exit 1): 4 critical, 1 warning, 1 defect in 7 series of 7 runs\n")
