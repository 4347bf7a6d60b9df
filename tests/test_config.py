"""The configuration file, and what it may not say."""

import pytest

from audioloss_cli import registry
from audioloss_cli.config import ConfigError, ScanConfig, find_config, make_config, read_config

READERS = ", ".join(registry.names("readers"))


def toml(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_key_reaches_its_field(tmp_path):
    path = toml(
        tmp_path / "audioloss.toml",
        'tag = ["a", "re:b"]\nall-losses = true\nwindow = 50\nthreshold = 0.02\ncritical-threshold = 0.01\nscale = 8\n'
        'fail-on = "critical"\nallow-defects = true\nformat = "jsonl"\njobs = 2\n',
    )
    assert make_config(path, {}) == ScanConfig(50, 0.02, 0.01, 8, ("a", "re:b"), True, "jsonl", "critical", True, 2)
    assert make_config(path, {"window_size": 7}).window_size == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("windw = 3", "unknown key 'windw'; did you mean 'window'?"),
        ("colour = 3", "unknown key 'colour'; known keys: tag, all-losses"),
        ('window = "3"', "window must be a whole number"),
        ("critical-threshold = 1", "critical-threshold (1) must not be above the warning threshold (0.01)"),
        ('fail-on = "maybe"', "fail-on must be one of warning, critical, never"),
        ('tag = "loss"', "tag must be a list of patterns"),
        ("tag = [1]", "tag must be a list of patterns"),
        ("[tag]\nname = 1", "tag must be a list of patterns"),
        ('tag = ["re:("]', "tag 're:(' is no regular expression"),
        ("window = true", "window must be a whole number"),
        ('threshold = "low"', "threshold must be a finite number"),
        ("threshold = 2001-01-01", "threshold must be a finite number"),
        ("critical-threshold = [1]", "critical-threshold must be a finite number"),
        ('all-losses = "yes"', "all-losses must be true or false"),
        ("fail-on = []", "fail-on must be one of warning, critical, never"),
        ("format = 3", "format must be a name"),
        ("jobs = true", "jobs must be a whole number"),
        ("allow-defects = 1", "allow-defects must be true or false"),
        ("scale = nan", "scale must be a finite number, above 0"),
        ("jobs = 1.5", "jobs must be a whole number"),
        ("window = ", "not valid TOML"),
        ('format = "xml"', f"format 'xml' is not one of {READERS}"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(text, words, audioloss, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    path = toml(tmp_path / "audioloss.toml", text)
    ran = audioloss("scan", ".")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert f"{path}: " in ran.err
    assert words in ran.err


def test_the_nearest_file_counts_up_to_the_root_of_the_checkout(tmp_path):
    outer = toml(tmp_path / "audioloss.toml", "window = 1")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    deep = tmp_path / "repo" / "a" / "b"
    deep.mkdir(parents=True)
    assert find_config(deep) is None
    shared = toml(tmp_path / "repo" / "pyproject.toml", "[tool.other]\nx = 1\n")
    assert find_config(deep) is None
    toml(shared, "[tool.audioloss]\nwindow = 9\n")
    assert find_config(deep) == shared
    assert read_config(shared) == {"window_size": 9}
    own = toml(tmp_path / "repo" / "a" / "audioloss.toml", "")
    assert find_config(deep) == own
    assert find_config(tmp_path) == outer


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        make_config(tmp_path / "nowhere.toml", {})
