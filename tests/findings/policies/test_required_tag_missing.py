"""A run that never logged what it must log fails."""

import json

import pytest

from tests.wobble import wobbly


def findings(ran) -> dict[str, list[str]]:
    document = json.loads(ran.out)
    return {run["run"].rsplit("/", 1)[-1]: [item["message"] for item in run["findings"]] for run in document["runs"]}


@pytest.fixture
def runs(jsonl, tmp_path):
    """One with an audio loss, one with others, one in which it is null in every row."""
    steps = list(enumerate(wobbly(3.0, 30)))
    jsonl(*({"step": step, "train/audio_loss": value, "lr": 1.0} for step, value in steps), name="runs/good.jsonl")
    jsonl(*({"step": step, "loss": value, "lr": 1.0} for step, value in steps), name="runs/other.jsonl")
    jsonl(*({"step": step, "loss": value, "train/audio_loss": None} for step, value in steps), name="runs/null.jsonl")
    return tmp_path / "runs"


def test_a_run_without_it_fails(runs, audioloss):
    ran = audioloss("scan", runs, "--require-tag", "*audio_loss", "--report", "json")
    assert ran.code == 1
    assert findings(ran) == {
        "good.jsonl": [],
        "null.jsonl": ["no number of a scalar that matches *audio_loss was logged; it logged loss"],
        "other.jsonl": ["no number of a scalar that matches *audio_loss was logged; it logged loss, lr"],
    }
    (found,) = json.loads(ran.out)["runs"][1]["findings"]
    assert (found["code"], found["severity"], found["standing"]) == ("required-tag-missing", "critical", "found")


def test_each_pattern_is_asked_for(runs, audioloss):
    ran = audioloss("scan", runs / "good.jsonl", "--require-tag", "lr", "--require-tag", "re:^train/audio")
    assert ran.code == 0
    ran = audioloss(
        "scan", runs / "good.jsonl", "--require-tag", "lr", "--require-tag", "a", "--require-tag", "b", "-q"
    )
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "FAIL (exit 1): 2 critical in 1 series of 1 run")


def test_it_can_be_known_or_suppressed(runs, audioloss, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    asked = ("scan", "runs/other.jsonl", "--require-tag", "*audio*")
    assert audioloss(*asked, "--write-baseline", "known.json").code == 1
    assert audioloss(*asked, "--baseline", "known.json").code == 0
    (tmp_path / "audioloss.toml").write_text('[[suppress]]\ncode = "required-tag-missing"\nreason = "text only"\n')
    assert audioloss(*asked).code == 0
    assert audioloss("rule", "required-tag-missing").code == 0
