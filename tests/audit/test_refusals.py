"""Files and directories that the system does not let us look at: a defect and exit 3, never a crash."""

import errno
import os
from pathlib import Path

import pytest

from audioloss_cli import scan
from audioloss_cli.model.exit_code import CLEAN, NOT_AUDITED

ROW = '{"step": 1, "audio_loss": 3.0}\n'


@pytest.fixture(autouse=True)
def logs(tmp_path) -> Path:
    for name in ("a.jsonl", "below/b.jsonl", "below/deeper/c.jsonl"):
        (tmp_path / "logs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "logs" / name).write_text(ROW)
    return tmp_path / "logs"


def refuse(monkeypatch, where: object, function: str, code: int, *names: str) -> None:
    """Let a function of the system fail for some paths."""
    real = getattr(where, function)

    def fail(path, *args, **more):
        if Path(path).name in names:
            raise OSError(code, os.strerror(code), str(path))
        return real(path, *args, **more)

    monkeypatch.setattr(where, function, fail)


def refused(report) -> list[tuple[str, str]]:
    assert {defect.kind for defect in report.defects} <= {"unreadable"}
    assert report.exit_code == NOT_AUDITED
    return [(Path(defect.path).name, defect.message.split(";")[0]) for defect in report.defects]


def audited(report) -> list[str]:
    return [Path(run.run).name for run in report.runs if run.series]


def test_nothing_is_refused(logs):
    assert (scan(logs).exit_code, audited(scan(logs))) == (CLEAN, ["a.jsonl", "b.jsonl", "c.jsonl"])


def test_a_file_that_vanishes_while_the_directory_is_searched(logs, monkeypatch):
    refuse(monkeypatch, os, "stat", errno.ENOENT, "b.jsonl")
    report = scan(logs)
    assert refused(report) == [("b.jsonl", "No such file or directory")]
    assert audited(report) == ["a.jsonl", "c.jsonl"]


def test_a_directory_that_may_be_listed_and_not_searched(logs, monkeypatch):
    """Mode r--: the names in it are known, and nothing can be asked about them."""
    refuse(monkeypatch, os, "stat", errno.EACCES, "b.jsonl", "deeper")
    report = scan(logs)
    assert refused(report) == [("b.jsonl", "Permission denied"), ("deeper", "Permission denied")]
    assert audited(report) == ["a.jsonl"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOENT, errno.EIO])
def test_a_directory_that_may_not_be_listed(code, logs, monkeypatch):
    refuse(monkeypatch, os, "scandir", code, "below")
    report = scan(logs)
    assert refused(report) == [("below", os.strerror(code))]
    assert audited(report) == ["a.jsonl"]


def test_a_named_directory_that_may_not_be_listed(logs, monkeypatch):
    refuse(monkeypatch, os, "scandir", errno.EACCES, "below")
    report = scan([logs / "a.jsonl", logs / "below"])
    assert refused(report) == [("below", "Permission denied")]
    assert [Path(item.asked).name for item in report.unaudited] == ["below"]


def test_a_named_path_that_may_not_be_looked_at(logs, monkeypatch):
    refuse(monkeypatch, os, "stat", errno.EACCES, "below")
    report = scan([logs / "a.jsonl", logs / "below"])
    assert refused(report) == []
    assert [(Path(item.asked).name, item.reason) for item in report.unaudited] == [("below", "Permission denied")]


def test_a_link_to_where_we_may_not_look(logs, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (logs / "link").symlink_to(tmp_path / "elsewhere")
    refuse(monkeypatch, os, "stat", errno.EACCES, "link")
    report = scan(logs)
    assert refused(report) == [("link", "Permission denied")]
    assert audited(report) == ["a.jsonl", "b.jsonl", "c.jsonl"]


def test_a_file_system_that_does_not_tell_what_an_entry_is(logs, monkeypatch):
    """``os.DirEntry`` asks the file then, and the answer may be an error."""

    class Entry:
        def __init__(self, entry):
            self.name, self.path = entry.name, entry.path

        def is_symlink(self):
            if self.name == "b.jsonl":
                raise PermissionError(errno.EACCES, "Permission denied")
            return False

        def is_file(self):
            return Path(self.path).is_file()

        def is_dir(self):
            return Path(self.path).is_dir()

    class Listing:
        def __init__(self, path):
            with real(path) as entries:
                self.entries = [Entry(entry) for entry in entries]

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_): ...

    real = os.scandir
    monkeypatch.setattr(os, "scandir", Listing)
    report = scan(logs)
    assert refused(report) == [("b.jsonl", "Permission denied")]
    assert audited(report) == ["a.jsonl", "c.jsonl"]


def test_a_log_that_may_not_be_opened(logs, monkeypatch):
    refuse(monkeypatch, Path, "open", errno.EACCES, "a.jsonl")
    report = scan(logs)
    assert refused(report) == [("a.jsonl", "Permission denied")]
    assert audited(report) == ["b.jsonl", "c.jsonl"]


def test_a_perhaps_log_that_may_not_be_sniffed(logs, monkeypatch):
    (logs / "train.log").write_text(ROW * 2)
    refuse(monkeypatch, Path, "open", errno.EACCES, "train.log")
    assert refused(scan(logs)) == [("train.log", "Permission denied")]
