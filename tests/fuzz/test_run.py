"""The guard of the fuzz scripts: what an input may do wrong is seen, named by its number, and ends nothing."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.fuzz import _run
from tests.fuzz._run import Case, Target, main


def make(source: random.Random) -> Case:
    return Case("input.txt", bytes([source.randrange(256)]), truth=source.random(), made="one byte")


def target(judge, **more) -> Target:
    return Target(make, judge, warm_up=lambda: None, **more)


def outcome(judge, capsys, *arguments: object, **more) -> tuple[int, str]:
    code = main(target(judge, **more), "toy", ["--seed", "7", "--inputs", "9", *map(str, arguments)])
    return code, capsys.readouterr().out


def misbehaving(at: bytes, act):
    """A judge that does something at the inputs with one content alone."""

    def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
        return (act() if path.read_bytes() == at else []), None

    return judge


def content_of(number: int) -> bytes:
    return make(random.Random(f"7:{number}")).content


def test_an_input_with_nothing_wrong_is_none(capsys):
    code, out = outcome(lambda _path, _case: ([], None), capsys)
    assert code == 0
    assert "seed 7, 9 inputs" in out


@pytest.mark.parametrize(
    ("act", "complaint"),
    [
        (lambda: ["a complaint"], "a complaint [one byte]"),
        (lambda: 1 // 0, "ZeroDivisionError"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "died of signal 9"),
        (lambda: bytearray(300 << 20) and [], "MB for 1 bytes"),
        (lambda: bytearray(1 << 40) and [], "MemoryError"),
        (lambda: time.sleep(60), "does not end"),
    ],
    ids=["complaint", "exception", "killed", "memory", "no memory", "hang"],
)
def test_each_fault_is_told_with_the_number_of_its_input(act, complaint, capsys, monkeypatch):
    monkeypatch.setattr(_run, "_HANG_SECONDS", 2.0)
    code, out = outcome(misbehaving(content_of(4), act), capsys)
    assert code == 1
    assert complaint in out.partition("input 4: ")[2].partition("\n")[0]
    assert "again: python -m tests.fuzz.toy --seed 7 --only 4" in out
    assert "9 inputs" in out


def test_one_input_is_judged_again_by_its_number(capsys, tmp_path):
    judge = misbehaving(content_of(4), lambda: ["a complaint"])
    code, out = outcome(judge, capsys, "--only", 4, "--keep", tmp_path)
    assert (code, "1 inputs" in out) == (1, True)
    assert (tmp_path / "4" / "input.txt").read_bytes() == content_of(4)
    assert outcome(judge, capsys, "--only", 3)[0] == 0


def test_the_command_line_is_asked_as_well(capsys):
    code, out = outcome(lambda _path, _case: ([], 0), capsys, command=lambda path: ["scan", str(path)], every=9)
    assert code == 1
    assert "input 0: the command exits 3, expected 0" in out
