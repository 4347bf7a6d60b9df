"""``audioloss test``: options, exit codes, and what is printed."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from audioloss_cli import registry
from tests.outputs.schemas import schema

EXAMPLE = """
[[test]]
name = "a collapse is critical at its first point"
interval = 10
[test.series]
"train/audio_loss" = "6.9-0.4x8 0.004x3"
[[test.alerts]]
step = 80
code = "critical-loss"

[[test]]
name = "a healthy loss stays silent"
alerts = []
[test.series]
audio_loss = "6.9-0.4x8"
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "alerts.toml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_as_expected(audioloss):
    assert audioloss("test", write(EXAMPLE)) == (
        0,
        "PASS alerts.toml: a collapse is critical at its first point\n"
        "PASS alerts.toml: a healthy loss stays silent\n"
        "PASS (exit 0): 2 passed, 0 failed\n",
        "",
    )


def test_the_example_of_the_documentation(audioloss):
    ran = audioloss("test", Path(__file__).parent.parent / "alert_tests" / "example.toml")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "PASS (exit 0): 3 passed, 0 failed")


def test_not_as_expected(audioloss):
    ran = audioloss("test", write(EXAMPLE.replace("step = 80", "step = 90")), write(EXAMPLE, "b.toml"))
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[0] == "FAIL alerts.toml: a collapse is critical at its first point"
    assert lines[1:3] == ["  --- expected", "  +++ happened"]
    assert lines[3].startswith('  + {step = 80, code = "critical-loss", ')
    assert lines[4] == '  - {step = 90, code = "critical-loss"}'
    assert [line[:4] for line in lines[5:8]] == ["PASS"] * 3
    assert lines[8] == "FAIL (exit 1): 3 passed, 1 failed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "alerts.toml: there is no test in it"),
        (EXAMPLE.replace("alerts = []\n", ""), "alerts.toml: test 2 'a healthy loss stays silent' lacks alerts"),
        (EXAMPLE.replace("0.004x3", "0.004y3"), "token 2, '0.004y3' at character 11, is none of"),
        (EXAMPLE.replace('"train/audio_loss"', "grad_norm"), "no loss to audit among its scalars"),
        (EXAMPLE.replace("critical-loss", "critical_loss"), "did you mean 'critical-loss'?"),
    ],
)
def test_a_broken_file_is_one_line_and_exits_2(text, words, audioloss):
    ran = audioloss("test", write(EXAMPLE, "good.toml"), write(text))
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("audioloss: error: alerts.toml: ")
    assert words in ran.err


def test_no_file_is_a_usage_error(audioloss):
    assert audioloss("test").code == 2
    assert audioloss("test", "nowhere.toml").err == "audioloss: error: nowhere.toml: No such file or directory\n"


def test_only_settings_that_are_named_count(audioloss, monkeypatch):
    loose = write("threshold = 0.001\ncritical-threshold = 0.001\n", "audioloss.toml")
    monkeypatch.setenv("AUDIOLOSS_THRESHOLD", "1")
    monkeypatch.setenv("AUDIOLOSS_CONFIG", loose)
    path = write(EXAMPLE)
    assert audioloss("test", path).code == 0
    assert audioloss("test", path, "--config", loose).code == 1
    assert audioloss("test", path, "--config", "nowhere.toml").code == 2


def test_quiet_and_verbose(audioloss):
    path = write(EXAMPLE)
    assert audioloss("test", path, "-q").out == "PASS (exit 0): 2 passed, 0 failed\n"
    out = audioloss("test", path, "-v").out
    assert "  audited: train/audio_loss\n" in out
    assert '    {step = 80, code = "critical-loss", ' in out


def test_a_name_that_the_terminal_cannot_show():
    path = write(EXAMPLE.replace("a healthy", "größe \\u001b[31m"))
    done = subprocess.run(
        [sys.executable, "-m", "audioloss_cli", "test", path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "PASS alerts.toml: gr\\xf6\\xdfe \\x1b[31m loss" in done.stdout


def test_tests_by_name(audioloss):
    path = write(EXAMPLE)
    assert audioloss("test", path, "--run", "a healthy loss stays silent").out.splitlines() == [
        "PASS alerts.toml: a healthy loss stays silent",
        "PASS (exit 0): 1 passed, 0 failed",
    ]
    assert "1 passed" in audioloss("test", path, "--run", "*critical*").out
    assert "2 passed" in audioloss("test", path, "--run", "*critical*", "--run", "a healthy*").out


def test_a_name_of_no_test_is_a_usage_error(audioloss):
    ran = audioloss("test", write(EXAMPLE), "--run", "*critical*", "--run", "a healthy loss stays silly")
    assert (ran.code, ran.out) == (2, "")
    assert "'a healthy loss stays silly' is the name of no test; did you mean 'a healthy loss stays silent'?" in ran.err


def test_coverage_names_the_rules_that_spoke_and_those_that_did_not(audioloss):
    lines = audioloss("test", write(EXAMPLE), "-q", "--coverage").out.splitlines()
    total = len(registry.names("rules"))
    assert lines[0] == f"rules exercised: 1 of {total}"
    assert lines[1] == "  critical-loss: 1 test"
    silent = " ".join(map(str.strip, lines[2:-1])).removeprefix("in no test: ").split(", ")
    assert len(silent) == total - 1
    assert "zero-loss" in silent
    assert max(map(len, lines)) <= 100
    assert lines[-1] == "PASS (exit 0): 2 passed, 0 failed"


def test_junit_in_a_file_beside_the_text(audioloss):
    ran = audioloss(
        "test", write(EXAMPLE.replace("step = 80", "step = 90")), write(EXAMPLE, "b.toml"), "--report", "x.xml"
    )
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "FAIL (exit 1): 3 passed, 1 failed"
    first, second = ET.parse("x.xml").getroot()
    assert (first.get("name"), first.get("tests"), first.get("failures")) == ("alerts.toml", "2", "1")
    assert (second.get("name"), second.get("tests"), second.get("failures")) == ("b.toml", "2", "0")
    failure = first.find("testcase/failure")
    assert failure.get("message") == "2 differences from what was expected"
    assert '- {step = 90, code = "critical-loss"}' in failure.text
    values = {each.get("name"): each.get("value") for each in first.iter("property")}
    assert values["tests in which critical-loss spoke"] == "1"


@pytest.mark.parametrize("name", ["junit-ant.xsd", "junit-jenkins-10.xsd"])
def test_junit_fits_its_schemas(name, audioloss):
    etree = pytest.importorskip("lxml.etree")
    hostile = EXAMPLE.replace("a healthy", '\\u0000\\u202e]]><b> \\"').replace(
        "alerts = []", "alerts = [{step = 1, severity = 'info'}]"
    )
    ran = audioloss("test", write(hostile), "--report", "junit")
    assert ran.code == 1
    etree.XMLSchema(etree.parse(schema(name))).assertValid(etree.fromstring(ran.out.encode()))


def test_no_other_report_and_none_over_a_test(audioloss):
    path = write(EXAMPLE)
    assert "tests are reported as text or junit, not as sarif" in audioloss("test", path, "--report", "sarif").err
    ran = audioloss("test", path, "--report", f"junit={path}")
    assert (ran.code, ran.out) == (2, "")
    assert "is one of the files that are read" in ran.err
    assert Path(path).read_text() == EXAMPLE
