"""The trained sample: it trains the same way, and its probe gives the report that lies beside it."""

import json

import pytest

from tests import make_probe_sample
from tests.make_samples import SAMPLES


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
