"""``audioloss calibrate``: healthy runs in, settings out under which they are silent, and what these still find."""

import json
import math
from pathlib import Path
from random import Random

import pytest

SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"
CHANCE = math.log(1026)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def noisy(levels, noise=0.02, seed=1):
    chance = Random(seed)
    return [level * math.exp(chance.gauss(0, noise)) for level in levels]


def falling(start, end, count):
    return [start * (end / start) ** (at / (count - 1)) for at in range(count)]


def write(name, cadence=1, **series):
    """A log with these series, a row each ``cadence`` steps."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        json.dumps({"step": cadence * at, **dict(zip(series, values, strict=True))})
        for at, values in enumerate(zip(*series.values(), strict=True))
    ]
    path.write_text("\n".join(rows) + "\n")
    return name


GOOD = {
    "never low": lambda: {"audio_loss": noisy(falling(CHANCE, 3.0, 600))},
    "lower than the thresholds": lambda: {"audio_loss": noisy([*falling(CHANCE, 0.3, 300), *falling(0.3, 0.004, 900)])},
    "falls in stairs": lambda: {"audio_loss": noisy([CHANCE] * 400 + [1.2] * 400)},
    "spikes": lambda: {
        "audio_loss": [v * (1 + 2 * (at % 97 in (50, 51, 52))) for at, v in enumerate(noisy([4.0] * 900))]
    },
    "small by nature": lambda: {"audio_loss": noisy(falling(0.4, 0.002, 600))},
    "negative": lambda: {"audio_loss": [v - 9 for v in noisy(falling(8.0, 2.0, 600))]},
    "zeros": lambda: {"audio_loss": [0.0 if at % 50 == 9 else v for at, v in enumerate(noisy([3.0] * 600))]},
    "two losses": lambda: {"audio_loss": noisy(falling(7.0, 3.0, 600)), "re:odd[1] audio_loss": noisy([0.02] * 600)},
}


@pytest.mark.parametrize("name", GOOD)
def test_the_healthy_runs_are_silent_under_what_is_written(name, audioloss):
    write("good/log.jsonl", **GOOD[name]())
    assert audioloss("calibrate", "good", "-o", "own.toml").code == 0
    ran = audioloss("scan", "good", "--config", "own.toml")
    assert (ran.code, "PASS" in ran.out) == (0, True)
    lines = Path("own.toml").read_text().splitlines()
    for at, line in enumerate(lines):  # each figure has its reason above it
        if line.startswith(("threshold", "critical-threshold", "kind ", "ignore", '"')):
            assert lines[at - 1].startswith("# "), line


@pytest.mark.parametrize("name", ["falls in stairs", "lower than the thresholds", "spikes"])
def test_without_it_they_are_not(name, audioloss):
    """Or the test above would show nothing."""
    write("good/log.jsonl", **GOOD[name]())
    assert audioloss("scan", "good").code == 1


def test_thresholds_come_from_the_lowest_loss_and_say_where_it_is(audioloss):
    write("good/a.jsonl", audio_loss=noisy(falling(7.0, 3.0, 600)))
    write("good/b.jsonl", audio_loss=[*noisy(falling(7.0, 3.0, 300), seed=2), 2.0, *noisy([3.0] * 200, seed=3)])
    text = audioloss("calibrate", "good").out
    assert "the lowest loss is 2: audio_loss at step 300 of good/b.jsonl\nthreshold = 0.5\n" in text
    assert "critical-threshold = 0.25" in text
    assert "audio_loss: 2 runs, 1,101 points, one each 1 steps; starts at" in text


def test_what_is_loosened_is_said(audioloss):
    write("good/log.jsonl", **GOOD["falls in stairs"]())
    ran = audioloss("calibrate", "good")
    assert "# by its default it holds in good/log.jsonl: audio_loss, step " in ran.out
    assert "[rules.log-drop]" in ran.out
    assert "loosened: log-drop ratio " in ran.err


def test_bad_runs_are_named_with_what_is_found_and_those_that_pass(audioloss):
    """Everything behind --check is bad: were a bad run measured as a good one, it would pass for ever."""
    write("good/log.jsonl", audio_loss=noisy([*falling(CHANCE, 3.0, 400)]))
    write("bad/nan.jsonl", audio_loss=[*noisy([5.0] * 300), *[math.nan] * 5])
    write("bad/low.jsonl", audio_loss=noisy([*[5.0] * 300, *[0.2] * 300]))
    ran = audioloss("calibrate", "good", "-o", "own.toml", "--check", "bad/nan.jsonl", "bad/low.jsonl")
    assert ran.code == 0
    assert "found: bad/nan.jsonl: critical non-finite-loss at step 300 (audio_loss)" in ran.err
    assert "found: bad/low.jsonl: critical " in ran.err
    assert ran.err.endswith("bad: 2 of 2 found\n")
    write("bad/fine.jsonl", audio_loss=noisy([5.0] * 300))
    ran = audioloss("calibrate", "good", "--check", "bad", "-o", "own.toml")
    assert ran.code == 1
    assert "PASSES: bad/fine.jsonl" in ran.err
    assert audioloss("calibrate", "good", "--check=bad/nan.jsonl", "nowhere", "-o", "own.toml").code == 3


def test_a_run_that_is_not_healthy_is_refused_and_nothing_is_written(audioloss):
    ran = audioloss("calibrate", SAMPLES / "nan", "-o", "own.toml")
    assert (ran.code, ran.out) == (1, "")
    assert "not healthy: " in ran.err
    assert "non-finite-loss at step 300" in ran.err
    assert not Path("own.toml").exists()


@pytest.mark.parametrize(
    ("paths", "code", "said"),
    [
        ([SAMPLES / "truncated"], 3, "--allow-defects"),
        (["nowhere"], 3, "no such file"),
        (["--check", "good"], 2, "GOOD_RUN"),
    ],
)
def test_what_cannot_be_measured(paths, code, said, audioloss):
    ran = audioloss("calibrate", *paths, "-o", "own.toml")
    assert (ran.code, said in ran.err, Path("own.toml").exists()) == (code, True, False)


def test_what_is_audited_is_written_as_well(audioloss):
    """The next scan is to audit the same series, in the same unit."""
    write("good/log.jsonl", **{"audio_loss, summed": [8 * v for v in noisy(falling(CHANCE, 3.0, 400))]})
    options = ("--tag", "*summed", "--scale", 8, "--window", 50, "--fail-on", "critical")
    assert audioloss("calibrate", "good", *options, "-o", "audioloss.toml").code == 0
    text = Path("audioloss.toml").read_text()
    assert 'tag = ["*summed"]' in text
    assert "threshold = 0.7" in text
    assert audioloss("scan", "good").code == 0
    again = audioloss("calibrate", "good").out  # from the defaults, not from what was measured last time
    assert again.replace("\n\n", "\n").split() == text.replace("\n\n", "\n").split()
