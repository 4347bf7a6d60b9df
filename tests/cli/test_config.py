"""``audioloss config``: what is in force, where it comes from; and variables that are none."""

import tomllib

import pytest

from audioloss_cli.config import FIELDS, SETTINGS, make_config
from audioloss_cli.config.environment import refuse_misnamed, variables


@pytest.fixture(autouse=True)
def _in_a_checkout(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


FILE = """
window = 50
fail-on = "critical"
ignore = ["loss-spike", "early-drop"]
cache = "kept"
[kinds]
"re:^\\"mel\\u001b" = "small"
[rules.log-drop]
ratio = 8.5
[[overrides]]
tag = "codebook_*"
threshold = 0.1
[[suppress]]
code = "low-loss"
reason = "known since May"
until = 2030-01-31
[training]
critical = ["log"]
"""


def origins(text):
    """Key -> where it comes from."""
    lines = [line.rpartition("  # ") for line in text.splitlines() if not line.startswith("#")]
    return {line.partition(" = ")[0]: origin for line, _, origin in lines}


def test_every_value_is_told_with_where_it_comes_from(audioloss, tmp_path, monkeypatch):
    (tmp_path / "audioloss.toml").write_text(FILE)
    monkeypatch.setenv("AUDIOLOSS_SCALE", "8")
    monkeypatch.setenv("AUDIOLOSS_WINDOW", "60")
    ran = audioloss("config", "--window", "70", "--no-checksum")
    assert (ran.code, ran.err) == (0, "")
    file = str(tmp_path / "audioloss.toml")
    assert f"# the configuration file is {file}\n" in ran.out
    told = origins(ran.out)
    assert {key: told[key] for key in ("window", "scale", "checksum", "fail-on", "threshold", "training")} == {
        "window": "--window",
        "scale": "AUDIOLOSS_SCALE",
        "checksum": "--checksum",
        "fail-on": file,
        "threshold": "default",
        "training": file,
    }
    assert set(FIELDS) - set(told) == {"baseline", "format", "select"}
    assert "# baseline is not set\n" in ran.out


def test_it_is_a_configuration_that_means_the_same(audioloss, tmp_path):
    (tmp_path / "audioloss.toml").write_text(FILE)
    ran = audioloss("config", "--kind", "ce")
    (tmp_path / "again.toml").write_text(ran.out)
    again = make_config(tmp_path / "again.toml", {})
    assert again == make_config(tmp_path / "audioloss.toml", {"kind": "ce", "jobs": 0})
    assert tomllib.loads(ran.out)["training"] == {"critical": ["log"]}
    assert '"re:^\\"mel\\u001b" = "small"' in ran.out


def test_tags_and_all_losses_replace_each_other_there_as_well(audioloss, tmp_path):
    (tmp_path / "audioloss.toml").write_text('tag = ["x"]\n')
    told = audioloss("config", "--all-losses").out
    assert (origins(told)["tag"], origins(told)["all-losses"]) == ("default", "--all-losses")


def test_a_mistake_is_the_same_as_in_a_scan(audioloss, tmp_path):
    (tmp_path / "audioloss.toml").write_text("windw = 3\n")
    assert audioloss("config") == audioloss("scan", ".")
    assert audioloss("config").code == 2


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WINDOWS", "WINDOW"),
        ("WINDOW_SIZE", "WINDOW"),
        ("TAGS", "TAG"),
        ("CRITICAL", "CRITICAL_THRESHOLD"),
        ("FAILON", "FAIL_ON"),
        ("CACHE_DIR", "CACHE"),
        ("CONFIG_FILE", "CONFIG"),
        ("TRESHOLD", "THRESHOLD"),
    ],
)
def test_a_variable_called_nearly_as_one_of_ours_is_an_error(name, meant, audioloss, monkeypatch):
    monkeypatch.setenv(f"AUDIOLOSS_{name}", "1")
    for command in (("scan", "."), ("config",), ("calibrate", "x"), ("probe", "--ckpt", ".", "--data", "a:b")):
        ran = audioloss(*command)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert f"AUDIOLOSS_{name} is no variable of audioloss; did you mean AUDIOLOSS_{meant}?" in ran.err


def test_an_option_that_no_variable_sets_is_told_as_such(audioloss, monkeypatch):
    monkeypatch.setenv("AUDIOLOSS_REPORT", "json")
    ran = audioloss("scan", ".")
    assert (ran.code, "only the command line says that" in ran.err) == (2, True)


@pytest.mark.parametrize("name", ["CORPUS", "TRACEBACK", "TEST_SEED", "CASES", "RUN"])
def test_others_are_somebody_elses(name):
    refuse_misnamed([f"AUDIOLOSS_{name}", "PATH", "AUDIOLOSSES"])


def test_our_own_are_none():
    refuse_misnamed(variables())
    assert len(variables()) == sum(setting.on_command_line for setting in SETTINGS.values()) + 1


@pytest.mark.parametrize(
    ("name", "value"), [("WINDOW", "ten"), ("FAIL_ON", "maybe"), ("SELECT", ","), ("FORMAT", "xml"), ("SCALE", "0")]
)
def test_an_error_names_the_variable_that_is_wrong_and_not_the_option(name, value, audioloss, monkeypatch):
    monkeypatch.setenv(f"AUDIOLOSS_{name}", value)
    ran = audioloss("scan", ".")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert f"AUDIOLOSS_{name}" in ran.err
    assert "--" not in ran.err.replace("audioloss --help", "")
