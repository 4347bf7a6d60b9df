"""A finding keeps its fingerprint for as long as it is the same one."""

import io
import os
import shutil

import pytest

from audioloss_cli import Report, ScanConfig, scan
from audioloss_cli.findings.identity import Identity, RunNames, beginning_of
from tests.event_files import scalar_event, write
from tests.wobble import wobbly

HEALTHY, LOW = wobbly(3.0, 60), wobbly(0.001, 30)


@pytest.fixture
def log(jsonl):
    """A log of one audio loss."""

    def made(values, name="runs/a/log.jsonl", **more):
        rows = ({"step": step, "audio_loss": value, **more} for step, value in enumerate(values))
        return jsonl(*rows, name=name)

    return made


def fingerprints(report: Report) -> list[str]:
    return [each.fingerprint for each in report.standings]


def test_it_is_16_hexadecimal_digits_and_no_two_are_alike(log, tmp_path):
    log([*HEALTHY, *LOW, *HEALTHY, *wobbly(0.001, 30), *HEALTHY, float("nan")])
    log([*HEALTHY, *LOW], "runs/b/log.jsonl")
    report = scan(tmp_path / "runs", ScanConfig(window_size=5))
    found = fingerprints(report)
    assert len(found) == len(set(found)) >= 4
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in found)
    assert [run.identity for run in report.runs] == ["a/log.jsonl", "b/log.jsonl"]


def test_it_survives_another_working_directory(log, tmp_path, monkeypatch):
    log([*HEALTHY, *LOW])
    from_afar = fingerprints(scan(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    assert fingerprints(scan("runs")) == fingerprints(scan("./runs/")) == from_afar
    monkeypatch.chdir(tmp_path / "runs" / "a")
    assert fingerprints(scan("..")) == from_afar != []
    monkeypatch.chdir(tmp_path / "runs")
    assert fingerprints(scan(".")) == from_afar


@pytest.mark.parametrize("place", ["elsewhere/runs", "renamed"])
def test_it_survives_a_moved_directory(place, log, tmp_path):
    log([*HEALTHY, *LOW])
    before = fingerprints(scan(tmp_path / "runs"))
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "runs", tmp_path / place)
    assert fingerprints(scan(tmp_path / place)) == before != []


def test_a_run_that_is_the_root_itself_may_be_renamed(tmp_path):
    write(tmp_path / "one" / "x.tfevents", [scalar_event(step, {"audio_loss": v}) for step, v in enumerate(LOW)])
    before = scan(tmp_path / "one")
    shutil.move(tmp_path / "one", tmp_path / "two")
    after = scan(tmp_path / "two")
    assert fingerprints(after) == fingerprints(before) != []
    assert [(run.identity, run.alias) for run in (*before.runs, *after.runs)] == [(".", "one"), (".", "two")]


def test_it_survives_appended_steps_and_an_escalation(log, tmp_path):
    log([*HEALTHY, *wobbly(0.007, 5)])
    (before,) = scan(tmp_path / "runs").incidents
    log([*HEALTHY, *wobbly(0.007, 5), *LOW, *HEALTHY, *HEALTHY])
    (after,) = scan(tmp_path / "runs").incidents
    assert (before.code, after.code) != (before.code, before.code)
    assert before.severity.rank < after.severity.rank
    assert before.fingerprint == after.fingerprint


def test_it_survives_a_restart_of_the_training(log, tmp_path):
    """An incident of the first launch is the same one after the second; the same trouble there is another one."""
    log([*HEALTHY, *LOW])
    (before,) = scan(tmp_path / "runs").incidents
    path = log([*HEALTHY, *LOW])
    path.write_text(path.read_text() * 2)
    first, second = scan(tmp_path / "runs").incidents
    assert first.fingerprint == before.fingerprint != second.fingerprint


def test_it_survives_logging_the_same_run_again(tmp_path):
    """Under another file name, at other times, with another scalar beside it."""
    run = tmp_path / "runs" / "a"
    events = [scalar_event(step, {"audio_loss": value}) for step, value in enumerate([*HEALTHY, *LOW])]
    write(run / "events.out.tfevents.1.host", events)
    before = scan(tmp_path / "runs")
    (run / "events.out.tfevents.1.host").unlink()
    again = [
        scalar_event(step, {"lr": 0.1, "audio_loss": value}, 1.8e9 + step)
        for step, value in enumerate([*HEALTHY, *LOW])
    ]
    write(run / "events.out.tfevents.2.other", again)
    after = scan(tmp_path / "runs")
    assert fingerprints(after) == fingerprints(before) != []
    assert after.runs[0].series[0].beginning == before.runs[0].series[0].beginning


@pytest.mark.parametrize(
    ("roots", "names"),
    [
        (["runs"], ["a/log.jsonl", "b/log.jsonl"]),
        (["runs/a", "runs/b"], ["a/log.jsonl", "b/log.jsonl"]),
        (["runs/a/log.jsonl", "runs/b/log.jsonl"], ["a/log.jsonl", "b/log.jsonl"]),
        (["runs/a"], ["log.jsonl"]),
        (["runs/a/log.jsonl"], ["log.jsonl"]),
        (["runs/a", "others"], ["others/log.jsonl", "runs/a/log.jsonl"]),
    ],
)
def test_runs_are_named_relative_to_the_root_and_of_several_to_what_is_above_all(
    roots, names, log, tmp_path, monkeypatch
):
    for name in ("runs/a", "runs/b", "others"):
        log(HEALTHY, f"{name}/log.jsonl")
    monkeypatch.chdir(tmp_path)
    assert [run.identity for run in scan(roots).runs] == names


def test_two_runs_in_one_place_have_two_names(log, tmp_path):
    log([*HEALTHY, *LOW], "runs/a/log.jsonl")
    rows = "".join(f"{step},{value}\n" for step, value in enumerate([*wobbly(4.0, 60), *LOW]))
    (tmp_path / "runs" / "a" / "metrics.csv").write_text(f"step,audio_loss\n{rows}")
    report = scan(tmp_path / "runs")
    assert len({run.identity for run in report.runs}) == len(report.runs) == 2
    assert len(set(fingerprints(report))) == 2


def test_what_is_piped_is_called_as_it_is():
    assert RunNames([], ["standard input"]).of("standard input") == ("standard input", "")
    assert RunNames(["."], ["standard input"]).of("standard input") == ("standard input", "")
    assert RunNames([os.sep]).of(f"{os.sep}a") == ("a", "")


def test_standard_input_has_one_name_wherever_it_is_read(log, tmp_path, monkeypatch):
    path = log([*HEALTHY, *LOW])
    found = []
    for place in (tmp_path, tmp_path / "runs" / "a"):
        monkeypatch.chdir(place)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        (run,) = [run for run in scan(["-", tmp_path / "runs"]).runs if run.run == "standard input"]
        found.append((run.identity, run.standings[0].fingerprint))
    assert found[0] == found[1]
    assert found[0][0] == "standard input"


@pytest.mark.parametrize(
    "other",
    [
        {"group": "g2"},
        {"run": "b"},
        {"tag": "u"},
        {"segment": 1},
        {"ordinal": 1},
        {"run": "", "group": "ga"},
    ],
)
def test_each_part_tells(other):
    parts = {"group": "g", "run": "a", "tag": "t"}
    assert Identity(**parts).fingerprint != Identity(**{**parts, **other}).fingerprint


def test_the_hash_is_fnv_1a():
    """Test vectors of its authors."""
    from audioloss_cli.findings.identity import _fnv_1a

    assert [_fnv_1a(data) for data in (b"", b"a", b"foobar")] == [
        0xCBF29CE484222325,
        0xAF63DC4C8601EC8C,
        0x85944171F73967E8,
    ]


def test_a_beginning_is_that_of_each_longer_log_of_the_same_values():
    values = wobbly(3.0, 40)
    whole = beginning_of(values)
    assert len(whole) == 5
    for count in range(40):
        found = beginning_of(values[:count])
        assert found == whole[: len(found)]
        assert bool(found) == bool(count)
    assert beginning_of([3.0, *values[1:]]) == whole
    assert beginning_of([3.1, *values[1:]])[0] != whole[0]
    assert beginning_of([*values[:15], 9.0])[:4] == whole[:4]
    assert beginning_of([*values[:15], 9.0])[4] != whole[4]
