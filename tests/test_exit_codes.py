"""No exit code lies, wherever the output goes and whatever ends the process. Each test runs a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import exhaustive
from tests.probe.training import checkpoint
from tests.wobble import wobbly

ROOT = Path(__file__).parent.parent
PATIENCE = 120.0  # seconds until a test gives up, not a bound on anything
FULL = Path("/dev/full")
# Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
HEED = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
COMMAND = [sys.executable, "-m", "audioloss_cli"]

# Each command, its exit code, and whether it writes to standard output.
COMMANDS = {
    "scan healthy.jsonl": (0, True),
    "scan low.jsonl": (1, True),
    "scan low.jsonl -o report.txt": (1, False),
    "scan healthy.jsonl --report json": (0, True),
    "scan nowhere": (3, True),
    "scan --nope": (2, False),
    "test alerts.toml": (0, True),
    "rules": (0, True),
    "rule no-shift": (0, True),
    "rule no-such-rule": (2, False),
    "--help": (0, True),
    "--version": (0, True),
    "": (2, False),
}
EACH_TIME = ["scan low.jsonl", "scan low.jsonl -o report.txt", "scan nowhere", "rule no-such-rule", "--version"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch, jsonl):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    low = [*wobbly(6.9, 20), *wobbly(0.001, 20)]
    jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(low)), name="low.jsonl")
    jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(wobbly(6.9, 40))), name="healthy.jsonl")
    Path("alerts.toml").write_text('[[test]]\nname = "x"\nalerts = []\n[test.series]\naudio_loss = "6.9-0.01x400"\n')


def shell(words: str, redirections: str = "", command: str = " ".join(COMMAND)) -> tuple[int, str, str]:
    """The exit code of the command, even at the head of a pipe, and what arrived."""
    line = f"{command} {words} {redirections}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.sampled(3)
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [*EACH_TIME, *exhaustive(*(words for words in COMMANDS if words not in EACH_TIME))])
def test_where_the_output_goes_does_not_change_the_code(words):
    code, prints = COMMANDS[words]
    for redirections in ("2> /dev/full", "<&- >&- 2>&-", "2>&1 | true"):
        assert shell(words, redirections)[0] == code, redirections
    for redirections in ("> /dev/full", "> /dev/full 2> /dev/full"):
        found, _, err = shell(words, redirections)
        assert found == (4 if prints else code), redirections
        assert err.count("\n") == ("2>" not in redirections)


TALKATIVE = """
import sys, warnings
from tests.probe import batches
def data():
    warnings.warn("a warning")
    print("a line", file=sys.stderr, flush=True)
    return batches.healthy()
"""


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.exhaustive
def test_nor_does_it_that_of_a_probe():
    for redirections in ("2> /dev/full", ">&- 2>&-"):
        assert shell("probe --ckpt nowhere --data x", redirections)[0] == 3
    Path("strange.py").write_text(TALKATIVE)
    words = f"probe --ckpt {checkpoint('untrained')} --data strange:data --device cpu -v"
    assert shell(words, "2> /dev/full > /dev/null")[0] == 0


@pytest.mark.exhaustive
def test_a_timeout_ends_where_nobody_listens():
    words = f"probe --ckpt {checkpoint('untrained')} --data tests.probe.batches:too_long --timeout 1"
    assert shell(words, "2>&-")[0] == 4
    with subprocess.Popen([*COMMAND, *words.split()], stderr=subprocess.PIPE, pipesize=4096) as child:
        os.set_blocking(child.stderr.fileno(), False)
        assert child.wait(PATIENCE) == 4


def run(*words: str, **more) -> subprocess.CompletedProcess[str]:
    pipes = {"capture_output": True, "text": True, "timeout": PATIENCE}
    return subprocess.run([*COMMAND, *words], check=False, **{**pipes, **HEED, **more})


AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
"""
SIGNALS = pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])


@pytest.mark.sampled(3)
@SIGNALS
@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("typer", ["--version"]),
        ("audioloss_cli.audit", ["scan", "healthy.jsonl"]),
        ("numpy.linalg", ["probe", "--ckpt", ".", "--data", "."]),
        pytest.param("torch.autograd", ["probe", "--ckpt", ".", "--data", "."], marks=pytest.mark.exhaustive),
    ],
)
def test_a_signal_during_an_import(name, code, module, words):
    Path("sitecustomize.py").write_text(AT_IMPORT.format(module=module, number=int(getattr(signal, name))))
    done = run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


MODEL = """
import os, signal
from tests.probe import tiny
def data():
    return tiny.hf_batch(distinct=64)
def model():
    inner = tiny.model()
    forward = inner.forward
    def ends(*arguments, **more):
        try:
            os.kill(os.getpid(), {number})
        except BaseException:
            pass
        return forward(*arguments, **more)
    inner.forward = ends
    return inner
"""


@SIGNALS
@pytest.mark.exhaustive
def test_a_signal_that_the_model_would_swallow(name, code):
    Path("strange.py").write_text(MODEL.format(number=int(getattr(signal, name))))
    done = run(*f"probe --ckpt {checkpoint('untrained')} --model strange:model --data strange:data".split())
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@SIGNALS
def test_a_signal_while_nobody_reads_the_report(name, code, jsonl):
    jsonl({"step": 1, "audio_loss": 3.0} | {f"{'x' * 100}{index}": 1 for index in range(3000)}, name="many.jsonl")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, "scan", "many.jsonl", "--report", "json"], **pipes, **HEED) as child:
        os.read(child.stdout.fileno(), 1)  # it is writing, and the pipe is full
        child.send_signal(getattr(signal, name))
        assert child.wait(PATIENCE) == code
        assert child.stderr.read() == b""


def test_a_terminal_that_is_closed_ends_it_as_well_unless_that_is_ignored():
    Path("sitecustomize.py").write_text(AT_IMPORT.format(module="audioloss_cli.audit", number=int(signal.SIGHUP)))
    assert run("scan", "healthy.jsonl").returncode == 129
    done = run("scan", "healthy.jsonl", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))  # nohup
    assert done.returncode == 0


AT_EXIT = """
import atexit, ctypes
from tests.probe import batches
def data():
    atexit.register(print, "goodbye")
    ctypes.CDLL(None).printf(b"below\\n")
    return batches.healthy()
"""


@pytest.mark.exhaustive
def test_what_is_printed_at_exit_is_no_part_of_the_report():
    Path("strange.py").write_text(AT_EXIT)
    done = run(*f"probe --ckpt {checkpoint('untrained')} --data strange:data --report json --device cpu".split())
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 0
    assert "goodbye" in done.stderr
    assert "below" in done.stderr


BROKEN = """
import audioloss_cli.audit.scanning as scanning
class Mute(Exception):
    def __str__(self):
        raise ValueError("no words")
def broken(*arguments, **more):
    raise {error}
scanning.discover = broken
"""


@pytest.mark.parametrize("error", ["EOFError('no more')", "BrokenPipeError(32, 'gone')", "SystemExit(1)", "Mute()"])
def test_what_nobody_foresaw_is_4(error):
    Path("sitecustomize.py").write_text(BROKEN.format(error=error))
    done = run("scan", "healthy.jsonl")
    assert (done.returncode, done.stdout) == (4, "")
    assert "internal error" in done.stderr.splitlines()[-1]
