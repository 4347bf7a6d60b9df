"""Settings for some runs and tags alone."""

import json

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.audit.settings import AuditSettings
from audioloss_cli.config import ConfigError, make_config
from tests.wobble import wobbly

LOW = [*wobbly(3.0, 40), *wobbly(0.004, 9)]


@pytest.fixture
def runs(jsonl, tmp_path, monkeypatch):
    """Two runs with a collapse of two losses each."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("runs/old/log.jsonl", "runs/new/log.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True)
        jsonl(
            *({"step": step, "audio_loss": loss, "codebook_0_loss": loss} for step, loss in enumerate(LOW)), name=name
        )
    return tmp_path


@pytest.fixture
def found(audioloss, runs):
    """Run and tag of what a scan with this file finds, at the gate."""

    def scanned(text, *options):
        (runs / "audioloss.toml").write_text(text)
        ran = audioloss("scan", "runs", "--report", "json", *options)
        assert ran.code in (0, 1), ran.err
        document = json.loads(ran.out)
        return {
            (run["run"].split("/")[1], item["tag"])
            for run in document["runs"]
            for item in run["series"]
            if item["incidents"]
        }

    return scanned


OLD, NEW = ("old", "audio_loss"), ("new", "audio_loss")
OLD_BOOK, NEW_BOOK = ("old", "codebook_0_loss"), ("new", "codebook_0_loss")
ALL = {OLD, NEW, OLD_BOOK, NEW_BOOK}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ALL),
        ('[[overrides]]\ntag = "codebook_*"\nkind = "small"\n', {OLD, NEW}),
        ('[[overrides]]\nrun = "old/*"\nkind = "small"\n', {NEW, NEW_BOOK}),
        ('[[overrides]]\nrun = "re:^runs/old"\ntag = "audio_loss"\nkind = "small"\n', ALL - {OLD}),
        ('[[overrides]]\ntag = "nothing"\nkind = "small"\n', ALL),
        ('kind = "small"\n[[overrides]]\ntag = "audio_*"\nkind = "ce"\n', {OLD, NEW}),
        # of several the last counts
        ('[[overrides]]\ntag = "*"\nkind = "small"\n[[overrides]]\nrun = "new/*"\nkind = "ce"\n', {NEW, NEW_BOOK}),
        ('[[overrides]]\ntag = "codebook_*"\nselect = ["non-finite-loss"]\n', {OLD, NEW}),
    ],
)
def test_an_override_counts_for_what_it_matches(text, left, found):
    assert found(text) == left


def test_the_command_line_beats_overrides_as_all_else_of_the_file(found):
    text = '[[overrides]]\ntag = "*"\nkind = "small"\n'
    assert found(text) == set()
    assert found(text, "--kind", "ce") == ALL


def test_limits_of_a_series_are_those_of_its_override(runs):
    table = {"tag": "codebook_0_loss", "window": 7, "threshold": 0.5, "critical-threshold": 0.1, "scale": 2}
    report = scan("runs", ScanConfig(overrides=[table]))
    limits = {item.tag: item.limits for run in report.runs for item in run.series}
    assert (limits["audio_loss"].window_size, limits["audio_loss"].threshold) == (100, 0.01)
    own = limits["codebook_0_loss"]
    assert (own.window_size, own.threshold, own.critical_threshold) == (7, 1.0, 0.2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("overrides = 3", "overrides must be a list of tables, as [[overrides]] makes one, not 3"),
        ("[[overrides]]\nkind = 'ce'", "entry 1 would count for everything; name a run or a tag"),
        ("[[overrides]]\ntag = 'x'", "entry 1 sets nothing; it may set window, threshold"),
        ("[[overrides]]\ntag = 'x'\nthreshhold = 1", "has an unknown key 'threshhold'; did you mean 'threshold'?"),
        ("[[overrides]]\ntag = 'x'\nfail-on = 'never'", "entry 1 has fail-on, which counts for whole scans alone"),
        ("[[overrides]]\ntag = 3\nkind = 'ce'", "entry 1: tag must be a pattern, not 3"),
        ("[[overrides]]\ntag = 're:('\nkind = 'ce'", "entry 1: tag 're:(' is no regular expression"),
        (
            "[[overrides]]\ntag = 'x'\nkind = 'xy'",
            "entry 1: kind must be one of auto, ce, small, rl, signed, open, not",
        ),
        ("[[overrides]]\ntag = 'x'\nthreshold = -1", "entry 1: threshold must be a finite number, 0 or more, not -1"),
        ("[[overrides]]\ntag = 'x'\nignore = ['xyz']", "entry 1: ignore names 'xyz', which is no loss rule"),
        ("[[overrides]]\ntag = 'x'\n[overrides.rules.log-drop]\nratoi = 1", "rules has no option 'ratoi' for log-drop"),
    ],
)
def test_a_mistake_names_the_file_and_the_entry(text, words, audioloss, runs):
    (runs / "audioloss.toml").write_text(text)
    ran = audioloss("scan", "runs")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert f"{runs / 'audioloss.toml'}: overrides" in ran.err
    assert words in ran.err


def test_overrides_that_contradict_each_other_are_told_with_the_series(audioloss, runs):
    (runs / "audioloss.toml").write_text(
        "[[overrides]]\ntag = '*'\nthreshold = 0.001\ncritical-threshold = 0.0005\n"
        "[[overrides]]\nrun = 'new/*'\ncritical-threshold = 0.004\n"
    )
    ran = audioloss("scan", "runs")
    assert (ran.code, ran.out) == (2, "")
    assert "overrides: entries 1, 2 match audio_loss of runs/new/log.jsonl: critical-threshold (0.004)" in ran.err
    settings = AuditSettings(make_config(runs / "audioloss.toml", {}))
    assert settings.of("runs/old", "x").config.threshold == 0.001
    with pytest.raises(ConfigError, match="entries 1, 2"):
        settings.of("runs/new/x", "x")
