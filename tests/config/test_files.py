"""The configuration file, and what it may not say."""

import json
from dataclasses import fields

import pytest

from audioloss_cli import registry
from audioloss_cli.config import ConfigError, ScanConfig, find_config, make_config, read_config
from tests.wobble import wobbly

READERS = ", ".join(registry.names("readers"))


def toml(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_key_reaches_its_field(tmp_path):
    path = toml(
        tmp_path / "audioloss.toml",
        'tag = ["a", "re:b"]\nall-losses = true\nwindow = 50\nthreshold = 0.02\ncritical-threshold = 0.01\nscale = 8\n'
        'adaptive = false\nkind = "small"\nselect = ["log-drop", "zero-loss"]\nignore = ["zero-loss"]\n'
        'fail-on = "critical"\nallow-defects = true\nallow-unread = true\n'
        'max-incidents = 3\nrequire-tag = ["*audio*"]\nmin-steps = 100\nbaseline = "known.json"\n'
        "fail-on-stale-suppressions = true\nexit-zero = true\ncheckpoints = true\n"
        'exclude = ["old/*"]\nformat = "jsonl"\njobs = 2\nchecksum = false\ncache = "kept"\n'
        "pattern = ['at (?P<step>[0-9]+) (?P<loss>[0-9.]+)$']\n"
        '[kinds]\n"vq/*" = "rl"\n[rules.log-drop]\nratio = 8\n'
        '[[suppress]]\ncode = "low-loss"\nreason = "a test"\n'
        '[[overrides]]\ntag = "x"\nscale = 2\n',
    )
    assert read_config(path).keys() == {field.name for field in fields(ScanConfig)}
    assert make_config(path, {}) == ScanConfig(
        overrides=({"tag": "x", "scale": 2},),
        window_size=50,
        threshold=0.02,
        critical_threshold=0.01,
        scale=8,
        adaptive=False,
        kind="small",
        kinds={"vq/*": "rl"},
        select=("log-drop", "zero-loss"),
        ignore=("zero-loss",),
        rules={"log-drop": {"ratio": 8}},
        tags=("a", "re:b"),
        all_losses=True,
        format="jsonl",
        fail_on="critical",
        allow_defects=True,
        allow_unread=True,
        exclude=("old/*",),
        jobs=2,
        checksum=False,
        cache=str(tmp_path / "kept"),
        line_patterns=("at (?P<step>[0-9]+) (?P<loss>[0-9.]+)$",),
        max_incidents=3,
        require_tags=("*audio*",),
        min_steps=100,
        baseline=str(tmp_path / "known.json"),
        suppress=({"code": "low-loss", "reason": "a test"},),
        fail_on_stale_suppressions=True,
        exit_zero=True,
        checkpoints=True,
    )
    assert make_config(path, {"window_size": 7}).window_size == 7
    assert make_config(path, {"select": ("low-loss",)}).select == ("low-loss",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("windw = 3", "unknown key 'windw'; did you mean 'window'?"),
        ("colour = 3", "unknown key 'colour'; known keys: window, threshold"),
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
        ('cache = ""', "cache must be the name of a directory, not ''"),
        ("cache = true", "cache must be the name of a directory, not True"),
        ("jobs = true", "jobs must be a whole number"),
        ("allow-defects = 1", "allow-defects must be true or false"),
        ("scale = nan", "scale must be a finite number, above 0"),
        ("jobs = 1.5", "jobs must be a whole number"),
        ("window = ", "not valid TOML"),
        ('format = "xml"', f"format 'xml' is not one of {READERS}"),
        ('adaptive = "no"', "adaptive must be true or false"),
        ("adaptve = false", "unknown key 'adaptve'; did you mean 'adaptive'?"),
        ("[rule.log-drop]\nratio = 8", "unknown key 'rule'; did you mean 'rules'?"),
        ('kind = "cross-entropy"', "kind must be one of auto, ce, small, rl, signed, open, not 'cross-entropy'"),
        ('kind = ["ce"]', "kind must be one of auto, ce, small, rl, signed, open"),
        ('kinds = "small"', "kinds must be a table of patterns and kinds"),
        (
            '[kinds]\nloss = "smal"',
            "kinds must be a table of patterns and kinds, each one of auto, ce, small, rl, signed, open, not "
            "{'loss': 'smal'}",
        ),
        ('select = "log-drop"', "select must be a list of rule codes"),
        ("ignore = [1]", "ignore must be a list of rule codes"),
        ('select = ["log-dorp"]', "select names 'log-dorp', which is no loss rule; did you mean 'log-drop'?"),
        ('ignore = ["log_drop"]', "ignore names 'log_drop', which is no loss rule; did you mean 'log-drop'?"),
        ('select = ["xyz"]', "select names 'xyz', which is no loss rule; audioloss rules lists them"),
        ("select = []", "select leaves no rule"),
        ('select = ["log-drop"]\nignore = ["log-drop"]', "select leaves no rule"),
        ("rules = 8", "rules must be tables of options by rule code"),
        ("[rules]\nlog-drop = 8", "rules must give a table of options for log-drop, not 8"),
        ("[rules.log-dorp]\nratio = 8", "rules names 'log-dorp', which is no loss rule; did you mean 'log-drop'?"),
        ("[rules.log-drop]\nratoi = 8", "rules has no option 'ratoi' for log-drop; its options: ratio"),
        ("[rules.critical-loss]\nratio = 8", "rules has no option 'ratio' for critical-loss; its options: none"),
        ("[rules.log-drop]\nratio = 0", "rules sets ratio of log-drop, which must be a finite number, above 0, not 0"),
        (
            "[rules.log-drop]\nratio = '8'",
            "rules sets ratio of log-drop, which must be a finite number, above 0, not '8'",
        ),
        ('[kinds]\n"re:(" = "ce"', "kinds 're:(' is no regular expression"),
        ('adaptive = false\nselect = ["log-drop"]', "leaves no rule"),
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


@pytest.mark.parametrize(
    "text",
    [
        "[tool.audioloss]\nwindow = 9",
        '[build]\nx = 1\r\n\t[ tool . "audioloss" ] # ours\r\nwindow = 9\r\n',
        "['tool'.'audioloss']\nwindow = 9",
        "[tool.audioloss.rules.log-drop]\nratio = 8\n[tool.audioloss]\nwindow = 9",
        "[tool]\naudioloss.window = 9",
        "[tool]\nother = 1\naudioloss = {window = 9}",
        "tool.audioloss.window = 9",
        'tool = {other = """\n""", audioloss = {window = 9}}',
        '["tool"]\n"audiolos\\u0073" = {window = 9}',
    ],
)
def test_our_table_is_found_however_it_is_spelt(text, tmp_path):
    shared = toml(tmp_path / "pyproject.toml", text)
    assert find_config(tmp_path) == shared
    assert read_config(shared)["window_size"] == 9


@pytest.mark.parametrize(
    "text",
    [
        '[project]\ndependencies = ["audioloss-cli"]\n[project.scripts]\naudioloss = "a:b"\n[tool.other]\nx = 1',
        "[tool.audiolosses]\nwindow = 9",
        "[other]\nbroken",
    ],
)
def test_a_pyproject_of_somebody_else_is_passed_over(text, tmp_path):
    assert find_config(toml(tmp_path / "pyproject.toml", text).parent) is None


def test_a_table_of_ours_that_is_broken_is_told(tmp_path):
    toml(tmp_path / "pyproject.toml", "[tool.audioloss\nwindow = 9")
    with pytest.raises(ConfigError, match="not valid TOML"):
        find_config(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_encoding_that_toml_does_not_know_is_told(encoding, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.audioloss]\nwindow = 9", encoding=encoding)
    with pytest.raises(ConfigError, match=r"pyproject\.toml: "):
        find_config(tmp_path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        make_config(tmp_path / "nowhere.toml", {})


STAIRS = [*wobbly(3.0, 400), *wobbly(0.6, 60), *wobbly(0.3, 60)]


@pytest.fixture
def found(audioloss, jsonl, tmp_path, monkeypatch):
    """What a scan with this audioloss.toml finds: kind and, of each incident, its code and where it fired."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)

    def scanned(text, losses, tag="audio_loss"):
        toml(tmp_path / "audioloss.toml", text)
        log = jsonl(*({"step": step, tag: loss} for step, loss in enumerate(losses)))
        (run,) = json.loads(audioloss("scan", log, "--report", "json").out)["runs"]
        (item,) = run["series"]
        return item["kind"], [(each["code"], each["fired_step"]) for each in item["incidents"]]

    return scanned


def test_an_option_of_a_rule_changes_when_it_fires(found):
    assert found("", STAIRS) == ("ce", [("log-drop", 406)])  # the median of 9 points is low for the third time
    assert found("[rules.log-drop]\nratio = 8\n", STAIRS) == ("ce", [("log-drop", 466)])
    assert found("[rules.log-drop]\nratio = 16\n", STAIRS) == ("ce", [])


@pytest.mark.parametrize(
    "points",
    [30, 12],
)
def test_a_rule_counts_as_many_points_as_it_is_told_to(points, found):
    losses = [*wobbly(3.0, 40), *[3.30123] * 35]
    assert found(f"[rules.frozen-loss]\npoints = {points}\n", losses) == ("ce", [("frozen-loss", 39 + points)])


def test_kinds_go_by_patterns(found):
    losses = [*wobbly(3.0, 40), *wobbly(0.004, 9)]
    assert found("", losses)[1] == [("critical-loss", 40)]
    assert found('[kinds]\n"audio_*" = "small"\n', losses) == ("small", [])
    assert found('[kinds]\n"re:^text" = "small"\n', losses)[0] == "ce"
    assert found('kind = "small"\n[kinds]\n"re:^audio" = "ce"\n"*" = "small"\n', losses)[0] == "ce"


def test_a_pattern_may_ask_for_a_guess(found):
    assert found('kind = "small"\n[kinds]\n"audio_*" = "auto"\n', wobbly(6.9, 9))[0] == "ce"
