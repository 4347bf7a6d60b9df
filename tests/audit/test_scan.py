"""The audit as a library: paths in, a Report out."""

from pathlib import Path

import pytest

from audioloss_cli import ScanConfig, registry, scan
from audioloss_cli.model.exit_code import CLEAN, FINDINGS
from tests.event_files import scalar_event, write
from tests.wobble import wobbly


def rows(tag: str, values, **more):
    return [{"step": step, tag: value, **more} for step, value in enumerate(values)]


LOW, HIGH = [*wobbly(6.9, 20), *wobbly(0.001, 20)], wobbly(6.9, 40)


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
    assert (item.points, item.segment_starts) == (24, [0, 20])


def test_nested_directories_are_runs_of_their_own(tmp_path):
    for name in ("b", "a/x", "a"):
        write(tmp_path / name / "events.out.tfevents.1", [scalar_event(1, {"loss": 3.0})])
    assert [Path(run.run).relative_to(tmp_path).as_posix() for run in scan(tmp_path).runs] == ["a", "a/x", "b"]


def test_every_segment_is_replayed(tmp_path):
    events = [scalar_event(step, {"loss": value}) for step, value in [*enumerate(LOW), *enumerate(LOW)]]
    write(tmp_path / "events.out.tfevents.1", events)
    assert [(item.segment, item.first_step, item.resolution) for item in scan(tmp_path).incidents] == [
        (0, 21, "restarted"),
        (1, 21, "run_ended"),
    ]


def test_a_step_that_never_changes_is_counted(tmp_path):
    write(tmp_path / "events.out.tfevents.1", [scalar_event(0, {"loss": value}) for value in LOW])
    (item,) = scan(tmp_path, points=True).runs[0].series
    assert (item.series.step_source, list(item.series.steps)) == ("ordinal", list(range(40)))
    assert item.incidents[0].first_step == 21  # the second low point of a loss that may be small


def test_one_point_keeps_its_step(jsonl):
    assert scan(jsonl({"step": 0, "loss": 3.0})).runs[0].series[0].step_source == "step"


def test_a_run_without_an_audio_loss_falls_back_and_says_so(jsonl):
    (run,) = scan(jsonl(*rows("loss", HIGH, lr=0.1))).runs
    assert (run.series[0].tag, run.series[0].role) == ("loss", "training")
    assert "training loss was audited instead" in run.note


def test_an_audio_loss_is_audited_alone(jsonl):
    (run,) = scan(jsonl(*rows("train/audio_loss", HIGH, loss=0.001))).runs
    assert [item.tag for item in run.series] == ["train/audio_loss"]
    assert run.note == ""
    assert run.tags == ["train/audio_loss", "loss"]


def test_scale_finds_the_collapse_of_a_sum_over_codebooks(jsonl):
    path = jsonl(*rows("audio_loss", [*wobbly(24.0, 20), *wobbly(0.032, 20)]))
    assert scan(path, ScanConfig(adaptive=False)).exit_code == CLEAN
    report = scan(path, ScanConfig(scale=8, adaptive=False))
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
    ],
)
def test_limits_and_gate(config, code, jsonl):
    path = jsonl(*rows("audio_loss", [*wobbly(3.0, 9), *wobbly(0.007, 9)]))
    assert scan(path, ScanConfig(adaptive=False, **config)).exit_code == code


@pytest.mark.parametrize(("window_size", "last"), [(9, "sustained_warning"), (10, "warning")])
def test_a_low_loss_is_sustained_after_a_window_of_steps(window_size, last, jsonl):
    path = jsonl(*rows("audio_loss", [*wobbly(3.0, 9), *wobbly(0.007, 9)]))
    (incident,) = scan(path, ScanConfig(window_size=window_size)).incidents
    assert [edge.type for edge in incident.timeline][-1] == last


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


@pytest.mark.parametrize("config", [{"select": ("nope",)}, {"ignore": ("nope",)}, {"rules": {"nope": {"ratio": 8}}}])
def test_an_unknown_rule_is_refused(config, tmp_path):
    with pytest.raises(ValueError, match="names 'nope', which is no loss rule"):
        scan(tmp_path, ScanConfig(**config))


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"'xml' is not one of {', '.join(registry.names('readers'))}"):
        scan(tmp_path, ScanConfig(format="xml"))
