"""A run that ended before so many steps fails."""

import json

import pytest

from tests.wobble import wobbly


@pytest.mark.parametrize(
    ("first", "every", "count", "least", "code"),
    [
        (0, 1, 100, 100, 0),
        (0, 1, 99, 100, 1),
        (1, 1, 100, 100, 0),
        (10, 10, 10, 100, 0),
        (10, 10, 9, 100, 1),
        (5000, 1, 20, 100, 0),
    ],
)
def test_steps_count_to_the_last_one(first, every, count, least, code, jsonl, audioloss):
    path = jsonl(
        *({"step": first + every * index, "audio_loss": value} for index, value in enumerate(wobbly(3.0, count)))
    )
    ran = audioloss("scan", path, "--min-steps", least, "--report", "json")
    found = json.loads(ran.out)["runs"][0]["findings"]
    assert (ran.code, [item["code"] for item in found]) == (code, ["too-few-steps"] * code)


def test_a_run_without_a_loss_has_none(jsonl, audioloss, tmp_path):
    jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(wobbly(3.0, 30))), name="runs/a.jsonl")
    jsonl(*({"step": step, "lr": 1.0} for step in range(30)), name="runs/b.jsonl")
    ran = audioloss("scan", tmp_path / "runs", "--min-steps", "5")
    assert ran.code == 1
    assert "no loss was audited, of at least 5" in ran.out
    assert ran.out.splitlines()[-2].startswith("CRITICAL too-few-steps")
