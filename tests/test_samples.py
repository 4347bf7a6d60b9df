"""Each sample gives the report that lies beside it; `tests/reference` writes the samples anew."""

import json

import pytest

from tests.make_samples import SAMPLES

EXIT_CODES = {
    "collapse-jsonl": 1,
    "collapse-tensorboard": 1,
    "exactly-zero": 1,
    "healthy": 0,
    "nan": 1,
    "no-shift": 1,
    "recovery": 1,
    "truncated": 3,
}


def test_every_sample_is_one_of_them():
    assert {path.name for path in SAMPLES.iterdir() if path.is_dir()} == set(EXIT_CODES)


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_report_is_the_one_beside_it(name, audioloss, monkeypatch):
    monkeypatch.chdir(SAMPLES.parent)
    ran = audioloss("scan", f"sample_logs/{name}", "--report", "json")
    assert ran.code == EXIT_CODES[name]
    assert json.loads(ran.out) == json.loads((SAMPLES / name / "report.json").read_text())


@pytest.mark.parametrize("name", ["collapse-jsonl", "collapse-tensorboard"])
def test_the_collapse_is_named_at_its_true_step(name, audioloss):
    text = audioloss("scan", SAMPLES / name).out
    assert "CRITICAL critical-loss, steps 430 to 1,000" in text  # 60 steps before it is below 0.01
    assert "fired     log-drop " in text
    assert "at step 500 is below the critical threshold 0.005" in text


def test_all_samples_in_one_scan(audioloss):
    ran = audioloss("scan", SAMPLES)
    assert ran.code == 1
    assert ran.out.endswith("\nFAIL (exit 1): 5 critical, 1 warning, 1 defect in 8 series of 8 runs\n")


def test_the_checkpoint_and_the_batch_are_small():
    files = [path for path in (SAMPLES / "no-shift").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
