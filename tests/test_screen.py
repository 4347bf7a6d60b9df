"""Where a report goes: a file or standard output, in colour or not, and never over a log."""

import errno
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audioloss_cli.destinations import Destination
from audioloss_cli.model import Gate
from audioloss_cli.screen import Screen
from tests.event_files import scalar_event, write
from tests.outputs.reports import REPORTS

LOW = [3.0] * 20 + [0.001] * 20
FULL = Path("/dev/full")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def low(jsonl) -> Path:
    return jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(LOW)))


def process(*arguments: object, **more) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "audioloss_cli", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.run(command, text=True, check=False, **pipes)


def test_a_file_that_cannot_be_written_exits_4(audioloss, low, tmp_path):
    ran = audioloss("scan", low, "--output", tmp_path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert f"cannot write the report to {tmp_path}: Is a directory" in ran.err


def test_a_file_that_may_not_be_looked_at_exits_4(audioloss, low, tmp_path, monkeypatch):
    stat = Path.stat

    def refuse(path, **more):
        if path.name == "report.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        return stat(path, **more)

    monkeypatch.setattr(Path, "stat", refuse)
    ran = audioloss("scan", low, "--output", tmp_path / "report.txt")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "report.txt: Permission denied" in ran.err


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("report", ["text", "json"])
def test_a_full_disk_exits_4(report, audioloss, low):
    ran = audioloss("scan", low, "--report", report, "-o", FULL)
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "cannot write the report to /dev/full: No space left on device" in ran.err
    with FULL.open("w") as full:
        done = process("scan", low, "--report", report, stdout=full)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "cannot write to standard output: No space left on device" in done.stderr


def test_a_log_is_never_overwritten(audioloss, low, tmp_path):
    (tmp_path / "link.txt").symlink_to(low)
    (tmp_path / "hard.txt").hardlink_to(low)
    kept = low.read_bytes()
    for output in (low, "log.jsonl", "link.txt", "hard.txt"):
        ran = audioloss("scan", tmp_path, "-o", output)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert "is one of the logs that were read" in ran.err
        assert low.read_bytes() == kept


@pytest.mark.parametrize(("name", "text"), [("log.csv", "step,loss\n1,3.0\n"), ("log.jsonl", '{"step": 1, "lr": 1}\n')])
def test_a_path_that_was_not_audited_is_not_overwritten_either(name, text, audioloss, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    ran = audioloss("scan", path, "-o", path)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert path.read_text() == text


def test_an_old_report_is_overwritten(audioloss, low, tmp_path):
    (tmp_path / "report.txt").write_text("what was before\n" * 100)
    assert audioloss("scan", low, "-o", "report.txt").code == 1
    assert "what was before" not in (tmp_path / "report.txt").read_text()


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured"),
    [
        ({}, [], False),
        ({"GITHUB_ACTIONS": "true"}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1"}, ["--no-color"], False),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"FORCE_COLOR": "1"}, ["--color=auto"], True),
        ({"CLICOLOR_FORCE": "1"}, [], True),
        ({"CLICOLOR_FORCE": "0"}, [], False),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, [], False),
        ({}, ["--color"], True),
        ({}, ["--color", "always"], True),
        ({}, ["--color", "auto"], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], False),
        ({"NO_COLOR": "1"}, ["--color"], False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, [], False),
    ],
)
def test_colour(audioloss, low, monkeypatch, environment, arguments, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = audioloss("scan", low, *arguments)
    assert ("\x1b[" in ran.out, ran.code) == (coloured, 1)


@pytest.mark.parametrize("colour", [["--color"], ["--color", "always"], ["--no-color"], ["--color", "--"]])
def test_a_path_behind_the_colour_stays_one(audioloss, low, colour):
    assert audioloss("scan", *colour, low).code == 1


def test_a_piped_report_has_no_colour_no_bar_and_survives_head(tmp_path):
    for number in range(300):
        events = [scalar_event(step, {"audio_loss": value}) for step, value in enumerate(LOW)]
        write(tmp_path / f"run{number}" / "x.tfevents", events)
    command = f"{sys.executable} -m audioloss_cli scan . | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "run0  [tensorboard]\n")
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


HOSTILE = "audio_loss\n\x1b[35mPASS\r\x9b2J\x07\x08"


@pytest.mark.parametrize("arguments", [[], ["--color"], ["-v"], ["-q"], ["--tag", "no such"], ["-o", "report.txt"]])
def test_neither_a_line_nor_an_escape_of_a_stranger_is_printed(arguments, audioloss, jsonl, tmp_path):
    rows = [{"step": step, HOSTILE: value, f"{HOSTILE}_2": 3.0} for step, value in enumerate(LOW)]
    jsonl(*rows, "no row", name="run\n\x1b[2J\x9b/log.jsonl")
    jsonl({"lr": 1, HOSTILE.replace("loss", "rate"): 1}, name="run\nPASS\x1b[2J/silent.jsonl")
    (tmp_path / "report.txt").touch()
    ran = audioloss("scan", ".", *arguments)
    text = ran.out + ran.err + (tmp_path / "report.txt").read_text()
    assert "FAIL" in text or "NOT AUDITED" in text
    assert not {character for character in re.sub(r"\x1b\[[\d;]*m", "", text) if not character.isprintable()} - {"\n"}
    assert "\x1b[35m" not in text
    assert not [line for line in text.splitlines() if line.startswith(("PASS", "?[35mPASS"))]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stderr", "verbosity", "shown"), [(Terminal(), 0, True), (Terminal(), -1, False), (io.StringIO(), 0, False)]
)
def test_progress_is_for_a_terminal_that_is_not_to_be_quiet(stderr, verbosity, shown, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stderr)
    with Screen([Destination("text")], Gate(), verbosity=verbosity, color=None).progress() as progress:
        assert (progress is not None) is shown


def test_progress_counts_what_it_is_told_to(monkeypatch):
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr("audioloss_cli.screen._SECONDS_BEFORE_A_BAR", 0)
    with Screen([Destination("text")], Gate(), verbosity=0, color=None).progress("batches") as progress:
        assert progress is not None
        for _ in range(200):
            progress(3, 50, "package:loader")
            time.sleep(0.02)
            if "package:loader" in stderr.getvalue():
                break
    assert "3/50 batches" in " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stderr.getvalue()).split())


@pytest.mark.parametrize("stdout", [Terminal(), io.StringIO()], ids=["terminal", "pipe"])
def test_on_a_terminal_a_report_waits_until_the_bar_is_gone(stdout, monkeypatch):
    """Elsewhere it is written while the scan lasts."""
    report = REPORTS["incidents"]
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(sys, "stdout", stdout)
    screen = Screen([Destination("jsonl")], Gate(), verbosity=0, color=None)
    with screen.progress():
        screen.run(report.runs[0])
        waiting = not stdout.getvalue()
    screen.run(report.runs[1])
    screen.end(report)
    assert waiting is stdout.isatty()
    assert [json.loads(line).get("run") for line in stdout.getvalue().splitlines()] == ["runs/a", "runs/b", None]
