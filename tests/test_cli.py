"""The command line: options, messages of one line, exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import audioloss_cli
from tests.event_files import scalar_event, write

LOW, HIGH = [3.0] * 20 + [0.001] * 20, [3.0] * 40


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def low(jsonl) -> Path:
    return jsonl(*({"step": step, "audio_loss": value, "loss": 5.0} for step, value in enumerate(LOW)))


@pytest.fixture
def high(jsonl) -> Path:
    return jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(HIGH)), name="high.jsonl")


def process(*arguments: str, **more) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "audioloss_cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def test_exit_codes_0_1_and_3(audioloss, low, high, tmp_path):
    assert audioloss("scan", high).code == 0
    assert audioloss("scan", low).code == 1
    assert audioloss("scan", tmp_path / "nowhere").code == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing command"),
        (["scan"], "Missing argument 'PATH'"),
        (["scna"], "No such command 'scna'"),
        (["scan", "x", "--nope"], "No such option"),
        (["scan", "x", "--window", "ten"], "'--window'"),
        (["scan", "x", "--window", "0"], "--window must be a whole number of steps"),
        (
            ["scan", "x", "--critical-threshold", "1"],
            "--critical-threshold (1) must not be above the warning threshold (0.01)",
        ),
        (["scan", "x", "--threshold", "nan"], "--threshold must be a finite number"),
        (["scan", "x", "--scale", "0"], "--scale must be a finite number, above 0"),
        (["scan", "x", "--jobs", "-1"], "--jobs must be a whole number"),
        (["scan", "x", "--fail-on", "info"], "'--fail-on'"),
        (["scan", "x", "--format", "xml"], "'xml' is not one of jsonl, tensorboard"),
        (["scan", "x", "--report", "xml"], "'xml' is not one of json, text"),
        (["scan", "x", "--tag", "re:("], "--tag 're:(' is no regular expression"),
        (["scan", "x", "--output", "no/such/dir/x"], "there is no directory"),
        (["scan", "x", "--config", "nowhere.toml"], "nowhere.toml: No such file"),
    ],
)
def test_a_usage_error_is_one_line_and_exits_2(audioloss, arguments, words):
    ran = audioloss(*arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("audioloss: error: ")
    assert words in ran.err


def test_version_and_both_doors():
    for command in ([sys.executable, "-m", "audioloss_cli"], [str(Path(sys.executable).parent / "audioloss")]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, f"audioloss {audioloss_cli.__version__}\n")


def test_options_reach_the_audit(audioloss, low):
    assert audioloss("scan", low, "--tag", "loss").code == 0
    assert audioloss("scan", low, "--tag", "re:^audio", "--tag", "loss").code == 1
    assert audioloss("scan", low, "--all-losses").code == 1
    assert audioloss("scan", low, "--threshold", "0.001", "--critical-threshold", "0.001").code == 0
    assert audioloss("scan", low, "--fail-on", "never").code == 0
    assert audioloss("scan", low, "--tag", "loss", "--scale", "1000").code == 1
    assert audioloss("scan", low, "--format", "tensorboard").code == 3
    assert audioloss("scan", low, "--window", "5", "--jobs", "1", "-v").code == 1


def test_the_environment_and_the_configuration_file(audioloss, low, monkeypatch, tmp_path):
    (tmp_path / "audioloss.toml").write_text('fail-on = "never"\ntag = ["audio*"]\n')
    assert audioloss("scan", low).code == 0
    monkeypatch.setenv("AUDIOLOSS_FAIL_ON", "critical")
    assert audioloss("scan", low).code == 1
    assert audioloss("scan", low, "--fail-on", "never").code == 0
    (tmp_path / "other.toml").write_text('tag = ["loss"]\n')
    assert audioloss("scan", low, "--config", "other.toml").code == 0


def test_tags_that_are_there_and_a_hint(audioloss, low):
    ran = audioloss("scan", low, "--tag", "audio_los")
    assert ran.code == 3
    assert "did you mean --tag 'audio_loss'?" in ran.out.replace("\n    ", " ")
    assert "scalars there: audio_loss, loss" in ran.out


def test_quiet_and_verbose(audioloss, low, high):
    assert audioloss("scan", low, "-q").out == "FAIL (exit 1): 1 critical in 1 series of 1 run\n"
    assert "█" not in audioloss("scan", high).out
    assert "▁▁▁▁" in audioloss("scan", high, "-v").out


def test_a_json_report(audioloss, low):
    ran = audioloss("scan", low, "--report", "json")
    assert json.loads(ran.out)["exit_code"] == ran.code == 1
    assert ran.err == ""


def test_a_report_in_a_file_leaves_the_verdict_on_stderr(audioloss, low, tmp_path):
    ran = audioloss("scan", low, "--report", "json", "--output", "report.json")
    assert (ran.code, ran.out, ran.err) == (1, "", "FAIL (exit 1): 1 critical in 1 series of 1 run\n")
    assert json.loads((tmp_path / "report.json").read_text())["exit_code"] == 1
    assert audioloss("scan", low, "-q", "--output", "report.txt").err == ""


def test_a_file_that_cannot_be_written_exits_4(audioloss, low, tmp_path):
    ran = audioloss("scan", low, "--output", tmp_path)
    assert ran.code == 4
    assert f"cannot write the report to {tmp_path}" in ran.err


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured"),
    [
        ({}, [], False),
        ({"GITHUB_ACTIONS": "true"}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1"}, ["--no-color"], False),
        ({}, ["--color"], True),
        ({"NO_COLOR": "1"}, ["--color"], False),
    ],
)
def test_colour(audioloss, low, monkeypatch, environment, arguments, coloured):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in audioloss("scan", low, *arguments).out) is coloured


def test_a_piped_report_has_no_colour_no_bar_and_survives_head(tmp_path):
    for number in range(300):
        events = [scalar_event(step, {"loss": value}) for step, value in enumerate(LOW)]
        write(tmp_path / f"run{number}" / "x.tfevents", events)
    command = f"{sys.executable} -m audioloss_cli scan . | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "FAIL (exit 1): 300 critical in 300 series of 300 runs\n")
    assert done.stderr == ""


def test_a_place_that_can_print_ascii_only(low):
    done = process("scan", low, env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.isascii()


def test_a_name_that_is_no_utf8(tmp_path):
    directory = os.fsencode(tmp_path) + b"/run\xff"
    Path(os.fsdecode(directory)).mkdir()
    Path(os.fsdecode(directory), "log.jsonl").write_text('{"step": 1, "loss": 0.001}\n')
    assert process("scan", ".").returncode == 1
    report = process("scan", ".", "--report", "json")
    assert (report.returncode, json.loads(report.stdout)["exit_code"]) == (1, 1)


def test_a_crash_is_never_1(low, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import audioloss_cli.audit.scanning as s\ndef boom(*a, **k): raise RuntimeError('boom')\ns.discover = boom\n"
    )
    done = process("scan", low, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert "internal error: RuntimeError: boom" in done.stderr
    shown = process("scan", low, env={**os.environ, "PYTHONPATH": str(tmp_path), "AUDIOLOSS_TRACEBACK": "1"})
    assert "Traceback" in shown.stderr


def test_ctrl_c_exits_130(tmp_path):
    os.mkfifo(tmp_path / "log.jsonl")
    command = [sys.executable, "-m", "audioloss_cli", "scan", "log.jsonl", "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        time.sleep(2)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, b"")


def test_a_progress_bar_only_on_a_terminal_and_only_for_long_work(tmp_path):
    """The bar needs a terminal: give the process one, and a pipe that keeps it waiting."""
    import pty

    os.mkfifo(tmp_path / "log.jsonl")
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "audioloss_cli", "scan", "log.jsonl", "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave) as child:
        time.sleep(3)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=20)
    os.close(slave)
    shown = os.read(master, 100_000).decode()
    os.close(master)
    assert out == b""
    assert "log.jsonl" in shown
    assert "0:00:0" in shown
