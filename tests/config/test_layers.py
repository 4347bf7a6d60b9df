"""Where settings come from: the command line beats the environment, which beats the configuration file."""

import json

import pytest

from tests.wobble import wobbly


def rows(audio: list[float], first: int = 0) -> list[dict[str, float]]:
    """The audio loss, and one that is nothing but healthy, from a step on."""
    losses = zip(audio, wobbly(5.0, len(audio)), strict=True)
    return [{"step": step, "audio_loss": loss, "loss": other} for step, (loss, other) in enumerate(losses, first)]


GOOD = rows(wobbly(3.0, 40))


@pytest.fixture(autouse=True)
def _in_a_checkout(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def low(jsonl):
    """Far below its start for two steps, then below the critical threshold, too."""
    return jsonl(*GOOD, *rows([0.02, 0.021, *wobbly(0.001, 18)], 40))


@pytest.fixture
def damaged(jsonl):
    path = jsonl(*GOOD)
    path.write_text(path.read_text() + '{"step": 40, "audio_lo')
    return path


def roles(ran) -> dict[str, str]:
    return {item["tag"]: item["role"] for run in json.loads(ran.out)["runs"] for item in run["series"]}


def test_each_beats_the_next(audioloss, low, monkeypatch, tmp_path):
    assert audioloss("scan", low).code == 1
    (tmp_path / "audioloss.toml").write_text('fail-on = "never"\n')
    assert audioloss("scan", low).code == 0
    monkeypatch.setenv("AUDIOLOSS_FAIL_ON", "critical")
    assert audioloss("scan", low).code == 1
    assert audioloss("scan", low, "--fail-on", "never").code == 0


@pytest.mark.parametrize(
    ("variable", "value", "option"),
    [
        ("TAG", "loss re:^audio", ["--tag", "loss", "--tag", "re:^audio"]),
        ("ALL_LOSSES", "1", ["--all-losses"]),
        ("SCALE", "8", ["--scale", "8"]),
        ("WINDOW", "200", ["--window", "200"]),
        ("THRESHOLD", "0.02", ["--threshold", "0.02"]),
        ("CRITICAL_THRESHOLD", "0.002", ["--critical-threshold", "0.002"]),
        ("ADAPTIVE", "0", ["--no-adaptive"]),
        ("KIND", "small", ["--kind", "small"]),
        ("SELECT", "low-loss critical-loss", ["--select", "low-loss", "--select", "critical-loss"]),
        ("IGNORE", "critical-loss early-drop", ["--ignore", "critical-loss", "--ignore", "early-drop"]),
        ("FAIL_ON", "never", ["--fail-on", "never"]),
        ("ALLOW_DEFECTS", "true", ["--allow-defects"]),
        ("FORMAT", "tensorboard", ["--format", "tensorboard"]),
        ("JOBS", "-1", ["--jobs", "-1"]),
        ("CACHE", "log.jsonl/kept", ["--cache", "log.jsonl/kept"]),
        ("CONFIG", "other.toml", ["--config", "other.toml"]),
    ],
)
def test_a_variable_says_what_its_option_says(variable, value, option, audioloss, low, monkeypatch, tmp_path):
    (tmp_path / "other.toml").write_text("window = 7\n")
    without = audioloss("scan", low, "--report", "json")
    said = audioloss("scan", low, "--report", "json", *option)
    monkeypatch.setenv(f"AUDIOLOSS_{variable}", value)
    ran = audioloss("scan", low, "--report", "json")
    named = said.err.replace(f"error: {option[0]}", f"error: AUDIOLOSS_{variable}")  # the variable has the mistake
    assert (ran.code, ran.out, ran.err) == (said.code, said.out, named)
    assert said != without


def test_a_switch_turned_off_beats_the_file(audioloss, low, damaged, tmp_path, monkeypatch):
    (tmp_path / "audioloss.toml").write_text("allow-defects = true\nall-losses = true\n")
    assert audioloss("scan", damaged).code == 0
    assert audioloss("scan", damaged, "--no-allow-defects").code == 3
    assert "loss" in roles(audioloss("scan", damaged, "--report", "json"))
    assert "loss" not in roles(audioloss("scan", damaged, "--report", "json", "--no-all-losses"))
    monkeypatch.setenv("AUDIOLOSS_ALLOW_DEFECTS", "0")
    assert audioloss("scan", damaged).code == 3


def test_tags_and_all_losses_replace_each_other_whoever_says_them(audioloss, low, tmp_path, monkeypatch):
    def audited(*arguments):
        return roles(audioloss("scan", low, "--report", "json", *arguments))

    everything, one = {"audio_loss": "loss", "loss": "loss"}, {"loss": "selected"}
    (tmp_path / "audioloss.toml").write_text('tag = ["loss"]\n')
    assert audited() == one
    assert audited("--all-losses") == everything
    (tmp_path / "audioloss.toml").write_text("all-losses = true\n")
    assert audited() == everything
    assert audited("--tag", "loss") == one
    monkeypatch.setenv("AUDIOLOSS_ALL_LOSSES", "1")
    assert audited("--tag", "loss") == one
    monkeypatch.delenv("AUDIOLOSS_ALL_LOSSES")
    monkeypatch.setenv("AUDIOLOSS_TAG", "loss")
    assert audited() == one
    assert audited("--all-losses") == everything


def test_the_report_names_the_file_that_had_a_say(audioloss, low, tmp_path):
    def second(*arguments) -> str:
        """What stands before the broken runs and the verdict."""
        return " ".join(audioloss("scan", low, *arguments).out.split("\n\n")[-2].split("\n"))

    assert "settings from" not in second()
    (tmp_path / "audioloss.toml").write_text("window = 50\n")
    assert second() == f"settings from {tmp_path / 'audioloss.toml'}"
    assert json.loads(audioloss("scan", low, "--report", "json").out)["config_file"] == str(tmp_path / "audioloss.toml")
    (tmp_path / "other.toml").write_text("")
    assert second("--config", "other.toml") == "settings from other.toml"


def test_outside_a_checkout_no_strangers_file_has_a_say(audioloss, low, tmp_path, monkeypatch):
    (tmp_path / ".git").rmdir()
    (tmp_path / "audioloss.toml").write_text('fail-on = "never"\n')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert audioloss("scan", low).code == 1
    (tmp_path / ".git").mkdir()
    assert audioloss("scan", low).code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[project]\nname = 'x'\n", "there is no [tool.audioloss] in it"),
        ("tool = 3\n", "there is no [tool.audioloss] in it"),
        ("[tool]\naudioloss = 3\n", "tool.audioloss must be a table, not 3"),
        ("[tool.audioloss\n", "not valid TOML"),
    ],
)
def test_a_pyproject_that_was_named_must_have_our_table(text, words, audioloss, low, tmp_path):
    (tmp_path / "pyproject.toml").write_text(text)
    ran = audioloss("scan", low, "--config", "pyproject.toml")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("audioloss: error: pyproject.toml: ")
    assert words in ran.err


def test_a_pyproject_without_our_table_is_passed_over_unless_named(audioloss, low, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    ran = audioloss("scan", low)
    assert ran.code == 1
    assert "settings from" not in ran.out


def test_tags_and_all_losses_in_one_breath_are_a_usage_error(audioloss, low):
    ran = audioloss("scan", low, "--tag", "loss", "--all-losses")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "--tag and --all-losses exclude each other" in ran.err
