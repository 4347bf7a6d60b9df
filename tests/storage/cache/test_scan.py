"""``audioloss scan --cache``: the report of a scan without, from any format, however the log came to be what it is."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli import ScanConfig, registry, scan
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from tests.effort import examples
from tests.event_files import records, scalar_event
from tests.wobble import wobbly

VALUES = [*wobbly(6.9, 60), *wobbly(0.001, 20), float("nan"), *wobbly(6.9, 40)]
TAGS = {"audio_loss": 1.0, "loss": 1.0, "lr": 1e-4, "grad_norm": 2.0}


def event_file() -> bytes:
    """Tags that are wanted and such that are not; some appear late."""
    events = [
        scalar_event(step, {tag: value * scale for tag, scale in list(TAGS.items())[: 2 + (step > 70) + (step > 30)]})
        for step, value in enumerate(VALUES)
    ]
    return b"".join(records(events))


def json_lines() -> bytes:
    rows = (f'{{"step": {step}, "audio_loss": {value}, "lr": 0.1}}\n' for step, value in enumerate(VALUES))
    return "".join(rows).replace("nan", "NaN").replace('"step": 50,', '"step": 50,,').encode()


LOGS = {"events.out.tfevents.1": event_file(), "log.jsonl": json_lines()}


def text(path: Path, cache: Path | None = None, **more) -> str:
    config = ScanConfig(cache=str(cache) if cache else None, **more)
    return render("json", scan(path, config), View())


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=examples(25), deadline=None)
@given(sizes=st.lists(st.floats(0, 1), min_size=1, max_size=4), flips=st.lists(st.floats(0, 0.99), max_size=1))
def test_a_growing_log_gives_the_report_of_a_scan_without(name, sizes, flips, tmp_path_factory):
    """Of whole records or cut inside one, intact or with a changed byte."""
    directory = tmp_path_factory.mktemp("runs")
    path, log = directory / "run" / name, bytearray(LOGS[name])
    path.parent.mkdir()
    for place in flips:
        log[int(place * len(log))] ^= 4
    for time, size in enumerate(sorted(sizes)):
        path.write_bytes(log[: int(size * len(log))])
        os.utime(path, ns=(time, time))
        for _ in range(2):
            assert text(path.parent, directory / "kept") == text(path.parent)


@pytest.mark.parametrize("name", LOGS)
def test_a_second_scan_reads_nothing(name, tmp_path, monkeypatch):
    path = tmp_path / "run" / name
    path.parent.mkdir()
    path.write_bytes(LOGS[name][:-5])
    first = text(path.parent, tmp_path / "kept")
    assert '"truncated"' in first
    reader = registry.load("readers", "jsonl" if name.endswith("jsonl") else "tensorboard")

    def fail(*_):
        raise AssertionError("the log was read")

    monkeypatch.setattr(reader, "read", fail)
    assert text(path.parent, tmp_path / "kept") == first
    with pytest.raises(AssertionError, match="the log was read"):
        text(path.parent, tmp_path / "kept", tags=("lr",))


def test_rules_may_change(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(LOGS["log.jsonl"])
    for more in ({}, {"select": ("log-drop",)}, {"threshold": 0.1}, {"scale": 8.0}, {"all_losses": True}):
        assert text(tmp_path / "log.jsonl", tmp_path / "kept", **more) == text(tmp_path / "log.jsonl", **more)


def test_the_directory_is_made_and_keeps_itself_out_of_git(audioloss, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(LOGS["log.jsonl"])
    ran = [audioloss("scan", tmp_path / "log.jsonl", "--cache", tmp_path / "a" / "b") for _ in range(2)]
    assert ran[0] == ran[1] == audioloss("scan", tmp_path / "log.jsonl")
    assert (tmp_path / "a" / "b" / ".gitignore").read_text() == "*\n"
    assert [file.suffix for file in sorted((tmp_path / "a" / "b").iterdir())] == ["", ".reading"]


def test_a_cache_that_cannot_be_written_to_is_refused(audioloss, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(LOGS["log.jsonl"])
    ran = audioloss("scan", tmp_path / "log.jsonl", "--cache", tmp_path / "log.jsonl")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert f"audioloss: error: the cache {tmp_path / 'log.jsonl'} cannot be written to" in ran.err


def test_the_file_of_the_settings_says_where_from_there(audioloss, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "below").mkdir()
    (tmp_path / "log.jsonl").write_bytes(LOGS["log.jsonl"])
    (tmp_path / "audioloss.toml").write_text('cache = "kept"\n')
    monkeypatch.chdir(tmp_path / "below")
    audioloss("scan", "../log.jsonl")
    assert len(list((tmp_path / "kept").glob("*.reading"))) == 1
