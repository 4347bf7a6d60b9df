"""Which files are logs, in which order, each once."""

import os
from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.runs.discover import discover

READERS = {name: registry.load("readers", name) for name in registry.names("readers")}


def event_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def runs(*roots: Path) -> list[tuple[str, list[str]]]:
    found = discover([str(root) for root in roots], READERS)
    return [(Path(source.run).name, [path.name for path in source.paths]) for source in found.sources]


def test_files_of_a_run_come_in_name_order_and_runs_too(tmp_path):
    for name in (
        "z/events.tfevents.2",
        "z/events.tfevents.1",
        "a/events.tfevents.1",
        "a/log.jsonl",
        "z/b.profile-empty",
    ):
        event_file(tmp_path / name)
    assert runs(tmp_path) == [
        ("a", ["events.tfevents.1"]),
        ("log.jsonl", ["log.jsonl"]),
        ("z", ["events.tfevents.1", "events.tfevents.2"]),
    ]


def test_the_profilers_marker_and_other_files_are_no_logs(tmp_path):
    for name in ("x.tfevents.profile-empty", "model.safetensors", "config.json", "notes.md"):
        event_file(tmp_path / name)
    assert runs(tmp_path) == []


def test_hidden_directories_are_skipped_unless_named(tmp_path):
    event_file(tmp_path / ".trash" / "x.tfevents")
    assert runs(tmp_path) == []
    assert runs(tmp_path / ".trash") == [(".trash", ["x.tfevents"])]


@pytest.mark.parametrize(
    "name", ["._x.tfevents", ".events.out.tfevents.1.Xy12", ".log.jsonl.part", ".ipynb_checkpoints/log.jsonl"]
)
def test_hidden_files_are_skipped(name, tmp_path):
    """A copy under way, a desktop's or a notebook's leftovers."""
    event_file(tmp_path / "run" / name)
    event_file(tmp_path / "run" / "x.tfevents")
    assert runs(tmp_path) == [("run", ["x.tfevents"])]


def test_a_loop_of_links_ends(tmp_path):
    event_file(tmp_path / "a" / "x.tfevents")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    assert runs(tmp_path) == [("a", ["x.tfevents"])]


def test_a_run_keeps_its_real_name_though_a_link_sorts_first(tmp_path):
    event_file(tmp_path / "run-7" / "x.tfevents")
    (tmp_path / "latest").symlink_to(tmp_path / "run-7")
    event_file(tmp_path / "run-7.jsonl")
    (tmp_path / "current.jsonl").symlink_to(tmp_path / "run-7.jsonl")
    assert runs(tmp_path) == [("run-7", ["x.tfevents"]), ("run-7.jsonl", ["run-7.jsonl"])]


def test_a_link_that_leads_outside_is_followed(tmp_path):
    event_file(tmp_path / "elsewhere" / "x.tfevents")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    assert runs(tmp_path / "here") == [("link", ["x.tfevents"])]


def test_a_link_that_leads_nowhere_is_nothing(tmp_path):
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    assert runs(tmp_path) == []


@pytest.mark.parametrize("name", ["events.out.tfevents.1.host", "metrics.csv", "trainer_state.json", "run-1.wandb"])
def test_a_link_that_leads_nowhere_and_is_named_like_a_log_is_named(name, tmp_path):
    """So git-annex and DVC leave what was not fetched."""
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    found = discover([str(tmp_path)], READERS)
    assert [(item.path, item.reason) for item in found.unread] == [(str(tmp_path / name), "a link that leads nowhere")]


def test_overlapping_paths_read_each_file_once(tmp_path):
    event_file(tmp_path / "a" / "x.tfevents")
    found = discover([str(tmp_path), str(tmp_path / "a")], READERS)
    assert len(found.sources) == 1
    assert [len(sources) for sources in found.reached.values()] == [1, 1]


def test_a_forced_reader_takes_a_named_file_and_searches_directories_as_ever(tmp_path):
    event_file(tmp_path / "odd.name")
    only = {"jsonl": READERS["jsonl"]}
    assert len(discover([str(tmp_path / "odd.name")], only, forced=True).sources) == 1
    assert discover([str(tmp_path)], only, forced=True).sources == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look anywhere")
def test_a_directory_that_may_not_be_looked_into_is_a_defect(tmp_path):
    (tmp_path / "secret").mkdir(mode=0o000)
    assert [defect.kind for defect in discover([str(tmp_path)], READERS).defects] == ["unreadable"]


def test_sizes_add_up(tmp_path):
    event_file(tmp_path / "1.tfevents").write_bytes(b"abc")
    event_file(tmp_path / "2.tfevents").write_bytes(b"abcd")
    assert [source.bytes for source in discover([str(tmp_path)], READERS).sources] == [7]


def test_nothing_is_asked_twice(tmp_path, monkeypatch):
    """One question to the system a directory and a log, two a root, none a file that is no log."""
    for run in range(5):
        for name in ("a.tfevents.1", "b.tfevents.2", "weights.safetensors", "config.yaml"):
            event_file(tmp_path / f"run{run}" / name)
    asked, real = [], os.stat

    def count(path, *arguments, **more):
        asked.append(Path(path).name)
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, "stat", count)
    assert len(runs(tmp_path)) == 5
    directories, logs = (
        [tmp_path.name, tmp_path.name, *(f"run{run}" for run in range(5))],
        ["a.tfevents.1", "b.tfevents.2"] * 5,
    )
    assert sorted(asked) == sorted(directories + logs)


def test_paths_read_as_the_user_would_write_them(tmp_path, monkeypatch):
    event_file(tmp_path / "run" / "x.tfevents")
    event_file(tmp_path / "log.jsonl")
    monkeypatch.chdir(tmp_path)
    found = {root: [source.run for source in discover([root], READERS).sources] for root in (".", "./run//", "run/..")}
    assert found == {".": ["log.jsonl", "run"], "./run//": ["run"], "run/..": ["run/../log.jsonl", "run/../run"]}


def test_a_pipe_has_no_size(tmp_path):
    os.mkfifo(tmp_path / "p.jsonl")
    event_file(tmp_path / "q.jsonl")
    paths = [str(tmp_path / name) for name in ("p.jsonl", "q.jsonl")]
    assert [source.bounded for source in discover(paths, READERS).sources] == [False, True]
