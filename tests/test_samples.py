"""Each sample gives the report that lies beside it, and real writers still write the same sample."""

import json

import pytest

from audioloss_cli import scan
from tests import make_probe_sample
from tests.make_samples import SAMPLES, WRITERS

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


def test_every_sample_has_its_writer_and_its_exit_code():
    assert (
        {path.name for path in SAMPLES.iterdir() if path.is_dir()}
        == {*WRITERS, make_probe_sample.NAME}
        == set(EXIT_CODES)
    )


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_report_is_the_one_beside_it(name, audioloss, monkeypatch):
    monkeypatch.chdir(SAMPLES.parent)
    ran = audioloss("scan", f"sample_logs/{name}", "--report", "json")
    assert ran.code == EXIT_CODES[name]
    assert json.loads(ran.out) == json.loads((SAMPLES / name / "report.json").read_text())


@pytest.mark.parametrize("name", WRITERS)
def test_the_writers_still_write_it(name, tmp_path):
    (tmp_path / name).mkdir()
    WRITERS[name](tmp_path / name)
    made, kept = scan(tmp_path / name).to_frame().points, scan(SAMPLES / name).to_frame().points
    assert made.drop(columns="run").equals(kept.drop(columns="run"))


@pytest.mark.parametrize("name", ["collapse-jsonl", "collapse-tensorboard"])
def test_the_collapse_is_named_at_its_true_step(name, audioloss):
    text = audioloss("scan", SAMPLES / name).out
    assert "CRITICAL critical-loss, steps 430 to 1,000" in text  # 60 steps before it is below 0.01
    assert "fired     log_drop " in text
    assert "at step 500 is below the critical threshold 0.005" in text


def test_all_samples_in_one_scan(audioloss):
    ran = audioloss("scan", SAMPLES)
    assert ran.code == 1
    assert ran.out.startswith("FAIL (exit 1): 5 critical, 1 warning, 1 defect in 8 series of 8 runs\n")


def test_the_trained_sample_still_trains_the_same_way():
    """The first steps: later ones drift apart on another processor."""
    log: list[dict] = []
    make_probe_sample.train(log, steps=15)
    kept = [json.loads(line) for line in (SAMPLES / "no-shift" / "train_log.jsonl").read_text().splitlines()]
    for made, then in zip(log, kept, strict=False):
        assert made["train"]["audio_loss"] == pytest.approx(then["train"]["audio_loss"], rel=0.05)
    assert len(log) == 4


def test_the_probe_of_the_sample_gives_the_report_beside_it(audioloss, monkeypatch):
    monkeypatch.chdir(SAMPLES.parent)
    here = f"sample_logs/{make_probe_sample.NAME}"
    checkpoint, batch = (f"{here}/{name}" for name in (make_probe_sample.CHECKPOINT, make_probe_sample.BATCH))
    ran = audioloss("probe", "--ckpt", checkpoint, "--data", batch, "--device", "cpu", "--report", "json")
    found, kept = json.loads(ran.out), json.loads((SAMPLES / "no-shift" / "probe.json").read_text())
    assert ran.code == found["exit_code"] == 1
    assert [each["cause"] for each in found["diagnoses"]] == ["no-shift"]
    for ours, theirs in zip(found["findings"], kept["findings"], strict=True):
        assert (ours["code"], ours["severity"]) == (theirs["code"], theirs["severity"])
    leak = found["findings"][0]["evidence"]
    assert leak["offset_0"] < 0.005
    assert leak["offset_1"] > leak["chance"]


def test_the_checkpoint_and_the_batch_are_small():
    files = [path for path in (SAMPLES / "no-shift").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
