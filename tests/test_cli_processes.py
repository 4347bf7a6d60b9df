"""A process of its own: crashes, Ctrl-C and the progress bar. FIFOs as logs hold it where a test wants it."""

import errno
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "audioloss_cli", "scan", "--format", "jsonl"]
PATIENCE = 30.0  # seconds until a test gives up, not a bound on anything


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@contextmanager
def started(*arguments: str, **more) -> Iterator[subprocess.Popen[bytes]]:
    """A scan in a group of its own, as a shell starts it; whatever a failed test leaves of it is killed."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    # Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen([*COMMAND, *arguments], start_new_session=True, **pipes, **heed) as child:
        try:
            yield child
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def opened(fifo: str, child: subprocess.Popen[bytes]) -> int:
    """The writing end, as soon as the child reads from the other."""
    while child.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads yet
                raise
            time.sleep(0.01)
    raise AssertionError(f"ended with {child.returncode} before it read {fifo}")


def interrupted(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What is said after Ctrl-C, which a terminal sends to the whole group, the children too.

    A signal that comes between Python's last look and a system call that blocks is seen when that returns: whoever sits
    before the terminal presses the keys again.
    """
    for _ in range(3):
        os.killpg(child.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=PATIENCE / 3)
    raise AssertionError("it does not end")


def shown_on(terminal: int, words: bytes | None = None) -> bytes:
    """What a terminal shows, until the words stand there or the last process has left it."""
    seen = b""
    while words is None or words not in seen:
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, f"no {words!r} in {seen!r}"
        try:
            seen += os.read(terminal, 100_000)
        except OSError:  # Linux says EIO where others say end of file
            break
    return seen


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_exits_130_and_leaves_no_process_behind(jobs):
    names = ["a.jsonl", "b.jsonl"][:jobs]
    for name in names:
        os.mkfifo(name)
    with started("--jobs", str(jobs), *names) as child:
        ends = [opened(name, child) for name in names]
        out, err = interrupted(child)
    assert (child.returncode, out, err) == (130, b"", b"")
    for end in ends:
        with pytest.raises(BrokenPipeError):
            os.write(end, b"{}")
        os.close(end)


def test_a_termination_leaves_no_process_behind_either():
    for name in ("a.jsonl", "b.jsonl"):
        os.mkfifo(name)
    with started("--jobs", "2", "a.jsonl", "b.jsonl") as child:
        ends = [opened(name, child) for name in ("a.jsonl", "b.jsonl")]
        child.terminate()  # it alone, as a supervisor does
        out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out, err) == (128 + signal.SIGTERM, b"", b"")
    for end in ends:
        with pytest.raises(BrokenPipeError):
            os.write(end, b"{}")
        os.close(end)


def test_what_is_ended_leaves_no_drafts_and_no_directory(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    for name in ("a.jsonl", "b.jsonl"):
        os.mkfifo(name)
    (tmp_path / "kept").mkdir()
    Path("kept/.x.reading.1-abc").write_bytes(b"of a scan that is still running, for all anybody knows")
    Path("kept/.x.reading.2-abc").write_bytes(b"of one that was killed long ago")
    os.utime("kept/.x.reading.2-abc", (1, 1))
    Path("long.jsonl").write_text("".join(f'{{"step": {step}, "audio_loss": 3.0}}\n' for step in range(2000)))
    with started("--jobs", "2", "--cache", "kept", "a.jsonl", "b.jsonl", "long.jsonl") as child:
        ends = [opened(name, child) for name in ("a.jsonl", "b.jsonl")]
        interrupted(child)
    for end in ends:
        os.close(end)
    assert list(Path("tmp").iterdir()) == []
    assert [path.name for path in Path("kept").glob(".*.reading.*")] == [".x.reading.1-abc"]


def test_a_closed_stdout_is_no_crash():
    Path("log.jsonl").write_text('{"step": 1, "audio_loss": 3.0}\n')
    words = [sys.executable, "-m", "audioloss_cli", "scan", "log.jsonl"]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["log.jsonl", "run [red][/bold].jsonl"])
def test_long_work_shows_a_progress_bar_on_a_terminal(name):
    Path(name).parent.mkdir(exist_ok=True)
    os.mkfifo(name)
    terminal, theirs = pty.openpty()
    with started(name, stderr=theirs) as child:
        os.close(theirs)
        end = opened(name, child)
        bar = shown_on(terminal, name.encode())
        child.send_signal(signal.SIGINT)
        rest = shown_on(terminal)
        out, _ = child.communicate(timeout=PATIENCE)
    os.close(end)
    os.close(terminal)
    assert b"0:00:0" in bar
    assert (child.returncode, out) == (130, b"")
    assert b"Traceback" not in bar + rest


def test_a_pipe_without_a_log_is_not_waited_for_twice():
    os.mkfifo("log.jsonl")
    with started("log.jsonl") as child:
        end = opened("log.jsonl", child)
        os.write(end, b"no row\n")
        os.close(end)
        _, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, err) == (3, b"")


def boom(directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A scan whose insides raise what nobody foresaw."""
    (directory / "log.jsonl").write_text('{"step": 1, "audio_loss": 3.0}\n')
    (directory / "sitecustomize.py").write_text(
        "import audioloss_cli.audit.scanning as s\ndef boom(*a, **k): raise RuntimeError('boom')\ns.discover = boom\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(directory), **more}
    return subprocess.run([*COMMAND, "log.jsonl"], capture_output=True, text=True, check=False, env=environment)


def test_a_crash_is_never_1(tmp_path):
    done = boom(tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert "internal error: RuntimeError: boom" in done.stderr


def test_a_crash_with_its_traceback_is_still_4(tmp_path):
    done = boom(tmp_path, AUDIOLOSS_TRACEBACK="1")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert "internal error: RuntimeError: boom" in done.stderr.splitlines()[-1]
