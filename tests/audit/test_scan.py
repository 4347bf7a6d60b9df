"""The audit as a library: paths in, a Report out."""

import json
import math
from pathlib import Path

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.records.report import CLEAN, FINDINGS, NOT_AUDITED
from tests.event_files import scalar_event, write


def rows(tag: str, values, **more):
    return [{"step": step, tag: value, **more} for step, value in enumerate(values)]


LOW, HIGH = [3.0] * 20 + [0.001] * 20, [3.0] * 40


def test_a_collapse_is_found_at_its_step(jsonl):
    report = scan(jsonl(*rows("audio_loss", LOW)))
    (incident,) = report.incidents
    assert (incident.code, incident.first_step, incident.resolution, report.exit_code) == (
        "critical-loss",
        20,
        "run_ended",
        FINDINGS,
    )
    assert incident.id.endswith("log.jsonl:audio_loss:low-loss@20")


def test_several_event_files_of_a_directory_are_one_run(tmp_path):
    for number, steps in enumerate([range(10), range(10, 20), range(5, 9)]):
        write(tmp_path / f"events.out.tfevents.{number}", [scalar_event(step, {"loss": 3.0}) for step in steps])
    (run,) = scan(tmp_path).runs
    (item,) = run.series
    assert (len(item.series), item.segment_starts) == (24, [0, 20])


def test_nested_directories_are_runs_of_their_own(tmp_path):
    for name in ("b", "a/x", "a"):
        write(tmp_path / name / "events.out.tfevents.1", [scalar_event(1, {"loss": 3.0})])
    assert [Path(run.run).relative_to(tmp_path).as_posix() for run in scan(tmp_path).runs] == ["a", "a/x", "b"]


def test_every_segment_is_replayed(tmp_path):
    events = [scalar_event(step, {"loss": value}) for step, value in [*enumerate(LOW), *enumerate(LOW)]]
    write(tmp_path / "events.out.tfevents.1", events)
    assert [(item.segment, item.first_step, item.resolution) for item in scan(tmp_path).incidents] == [
        (0, 20, "restarted"),
        (1, 20, "run_ended"),
    ]


def test_a_step_that_never_changes_is_counted(tmp_path):
    write(tmp_path / "events.out.tfevents.1", [scalar_event(0, {"loss": value}) for value in LOW])
    (item,) = scan(tmp_path).runs[0].series
    assert (item.series.step_source, list(item.series.steps)) == ("ordinal", list(range(40)))
    assert item.incidents[0].first_step == 20


def test_one_point_keeps_its_step(jsonl):
    assert scan(jsonl({"step": 0, "loss": 3.0})).runs[0].series[0].series.step_source == "step"


def test_a_run_without_an_audio_loss_falls_back_and_says_so(jsonl):
    (run,) = scan(jsonl(*rows("loss", HIGH, lr=0.1))).runs
    assert (run.series[0].series.tag, run.series[0].role) == ("loss", "training")
    assert "training loss was audited instead" in run.note


def test_an_audio_loss_is_audited_alone(jsonl):
    (run,) = scan(jsonl(*rows("train/audio_loss", HIGH, loss=0.001))).runs
    assert [item.series.tag for item in run.series] == ["train/audio_loss"]
    assert run.note == ""
    assert run.tags == ["train/audio_loss", "loss"]


def test_scale_finds_the_collapse_of_a_sum_over_codebooks(jsonl):
    path = jsonl(*rows("audio_loss", [24.0] * 20 + [0.032] * 20))
    assert scan(path).exit_code == CLEAN
    report = scan(path, ScanConfig(scale=8))
    assert report.exit_code == FINDINGS
    assert report.incidents[0].worst_value == 0.032
    assert report.runs[0].series[0].limits.critical_threshold == 0.04


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, FINDINGS),
        ({"fail_on": "critical"}, CLEAN),
        ({"fail_on": "never"}, CLEAN),
        ({"threshold": 0.006}, CLEAN),
        ({"critical_threshold": 0.008, "fail_on": "critical"}, FINDINGS),
        ({"window_size": 10**6}, FINDINGS),
    ],
)
def test_limits_and_gate(config, code, jsonl):
    assert scan(jsonl(*rows("audio_loss", [3.0] * 9 + [0.007] * 9)), ScanConfig(**config)).exit_code == code


def test_damage_is_incomplete_unless_it_is_allowed(jsonl):
    path = jsonl(*rows("audio_loss", HIGH))
    path.write_text(path.read_text() + '{"step": 40, "audio_lo')
    assert scan(path).exit_code == NOT_AUDITED
    assert scan(path, ScanConfig(allow_defects=True)).exit_code == CLEAN
    assert scan(path, ScanConfig(fail_on="never")).exit_code == NOT_AUDITED


def test_found_trouble_wins_over_damage(jsonl):
    path = jsonl(*rows("audio_loss", LOW))
    path.write_text(path.read_text() + "{")
    assert scan(path).exit_code == FINDINGS


def why(report) -> list[tuple[str, str]]:
    assert report.exit_code == NOT_AUDITED
    return [(Path(item.asked).name, item.reason) for item in report.unaudited]


def test_what_cannot_be_audited_is_told_with_the_tags_that_are_there(tmp_path, jsonl):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.md").write_text("no log")
    silent = jsonl({"step": 1, "lr": 0.1, "accuracy": 0.5}, name="silent.jsonl")
    assert why(scan(tmp_path / "nowhere")) == [("nowhere", "no such file or directory")]
    assert why(scan(tmp_path / "empty")) == [("empty", "no logs in this directory")]
    assert why(scan(tmp_path / "notes.md")) == [("notes.md", "not recognised as a log")]
    assert why(scan(silent)) == [("silent.jsonl", "no loss among its scalars")]
    assert scan(silent).unaudited[0].tags == ["accuracy", "lr"]
    assert "--tag" in scan(silent).unaudited[0].hint


def test_each_path_must_lead_to_something(tmp_path, jsonl):
    good = jsonl(*rows("audio_loss", HIGH))
    (tmp_path / "empty").mkdir()
    assert why(scan([good, tmp_path / "empty"])) == [("empty", "no logs in this directory")]
    assert scan([good, tmp_path, good]).exit_code == CLEAN


def test_only_unreadable_files(tmp_path):
    (tmp_path / "events.out.tfevents.1").write_bytes(b"not an event file at all, but long enough")
    report = scan(tmp_path)
    assert [reason for _, reason in why(report)] == ["nothing readable in its logs"]
    assert [defect.kind for defect in report.defects] == ["framing"]


@pytest.mark.parametrize("name", ["events.out.tfevents.1", "log.jsonl"])
def test_a_git_lfs_pointer_is_named_with_its_remedy(name, tmp_path):
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n")
    (defect,) = scan(tmp_path).defects
    assert (defect.kind, "git lfs pull" in defect.message) == ("not-a-log", True)


def test_a_pattern_that_matches_nothing_does_not_pass_in_silence(jsonl):
    path = jsonl(*rows("audio_loss", HIGH, depth_loss=2.0))
    report = scan(path, ScanConfig(tags=("audio_loss", "deph_loss")))
    assert [(item.asked, item.hint) for item in report.unaudited] == [
        ("--tag deph_loss", "did you mean --tag 'depth_loss'?")
    ]
    assert report.exit_code == NOT_AUDITED


def test_processes_give_the_same_report(tmp_path):
    for number in range(6):
        write(
            tmp_path / f"run{number}" / "events.out.tfevents.1",
            [scalar_event(s, {"loss": v}) for s, v in enumerate(LOW)],
        )
    one, two = scan(tmp_path, ScanConfig(jobs=1)), scan(tmp_path, ScanConfig(jobs=2))
    assert repr(two) == repr(one)
    assert len(one.incidents) == 6


def test_progress_counts_bytes_up_to_the_total(tmp_path):
    sizes = []
    for number in range(3):
        path = write(
            tmp_path / f"run{number}" / "events.out.tfevents.1", [scalar_event(1, {"loss": 3.0})] * (number + 1)
        )
        sizes.append(path.stat().st_size)
    calls = []
    scan(tmp_path, progress=lambda *call: calls.append(call[:2]))
    assert calls == [
        (0, sum(sizes)),
        (sizes[0], sum(sizes)),
        (sizes[0] + sizes[1], sum(sizes)),
        (sum(sizes), sum(sizes)),
    ]


def test_frames_hold_every_incident_and_every_point(tmp_path, jsonl):
    jsonl(*rows("audio_loss", [*LOW, None, 3.0], timestamp=1.7e9), name="a.jsonl")
    jsonl(*rows("loss", [3.0, math.nan]), name="b.jsonl")
    incidents, points = scan(tmp_path).to_frame()
    assert incidents[["tag", "code", "resolution"]].values.tolist() == [
        ["audio_loss", "critical-loss", "recovered"],
        ["audio_loss", "missing-loss", "recovered"],
        ["loss", "non-finite-loss", "run_ended"],
    ]
    assert [str(dtype) for dtype in incidents.dtypes[["first_step", "resolved_step", "worst_value"]]] == [
        "Int64",
        "Int64",
        "float64",
    ]
    assert incidents["resolved_step"].isna().tolist() == [False, False, True]
    assert len(points) == 44
    assert {name: str(dtype) for name, dtype in points.dtypes.items()}["step"] == "int64"
    assert points.groupby("tag")["value"].count().to_dict() == {"audio_loss": 41, "loss": 1}
    assert points["wall_time"].dropna().dt.year.unique().tolist() == [2023]


def test_frames_of_nothing_have_the_same_columns(tmp_path, jsonl):
    full, empty = scan(jsonl(*rows("loss", LOW))).to_frame(), scan(tmp_path / "nowhere").to_frame()
    for ours, theirs in zip(full, empty, strict=True):
        assert list(ours.columns) == list(theirs.columns)
        assert len(theirs) == 0
        assert [str(dtype) for dtype in theirs.dtypes] == [str(dtype) for dtype in ours.dtypes]


def test_segments_of_points(tmp_path):
    write(tmp_path / "events.out.tfevents.1", [scalar_event(step, {"loss": 3.0}) for step in [0, 1, 2, 0, 1]])
    assert scan(tmp_path).to_frame().points["segment"].tolist() == [0, 0, 0, 1, 1]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'xml' is not one of jsonl, tensorboard"):
        scan(tmp_path, ScanConfig(format="xml"))


def test_a_forced_format_reads_what_no_reader_claims(tmp_path):
    path = tmp_path / "log.weird"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows("audio_loss", LOW)))
    assert why(scan(path))[0][1] == "not recognised as a log"
    assert scan(path, ScanConfig(format="jsonl")).exit_code == FINDINGS
