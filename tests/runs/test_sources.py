"""Several sources of one run are one run, where their numbers say so; what is no log of the run stays apart."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model.exit_code import FINDINGS, NOT_AUDITED
from tests.event_files import scalar_event, write

COLLAPSE = 600


def curve(seed: int = 0, last: int = 1000, every: int = 5) -> list[tuple[int, float]]:
    """A healthy loss that collapses at step 600."""
    draw = random.Random(seed)
    return [
        (step, 0.001 if step >= COLLAPSE else 4 + 3 / (1 + step / 100) + draw.uniform(-0.2, 0.2))
        for step in range(every, last + 1, every)
    ]


def event_file(path: Path, points: list[tuple[int, float]], tag: str = "train/audio_loss") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, [scalar_event(step, {tag: value}, 1.7e9 + step) for step, value in points])


def rows(path: Path, points: list[tuple[int, float]], key: str = "audio_loss", digits: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"step": step, key: round(value, digits)}) + "\n" for step, value in points))


def console(path: Path, points: list[tuple[int, float]]) -> None:
    path.write_text("".join(f"Step {step} - Audio Loss: {value:.3f}\n" for step, value in points))


def told(report) -> list[tuple[str, str, list[int]]]:
    return [
        (Path(run.run).name, run.format, [i.first_step for s in run.series for i in s.incidents]) for run in report.runs
    ]


def test_an_event_file_rows_and_console_output_are_one_run_with_one_incident(tmp_path):
    points = curve()
    event_file(tmp_path / "run" / "logs" / "events.tfevents.1", points)
    rows(tmp_path / "run" / "train_log.jsonl", points[::2])
    console(tmp_path / "run" / "train.log", points)
    report = scan(tmp_path)
    ((name, formats, steps),) = told(report)
    assert name == "run"
    assert set(formats.split("+")) == {"tensorboard", "jsonl", "text"}
    assert formats.startswith("tensorboard")
    assert len(steps) == 1
    (item,) = report.runs[0].series
    assert [(share.source.split()[0], share.points) for share in item.sources] == [
        ("tensorboard", 200),
        ("jsonl", 0),
        ("text", 0),
    ]


@pytest.mark.parametrize("source", ["tensorboard", "jsonl", "text"])
def test_the_incident_is_at_the_step_at_which_each_source_alone_has_it(source, tmp_path):
    points = curve()
    event_file(tmp_path / "all" / "events.tfevents.1", points)
    rows(tmp_path / "all" / "train_log.jsonl", points)
    console(tmp_path / "all" / "train.log", points)
    one = {"tensorboard": "events.tfevents.1", "jsonl": "train_log.jsonl", "text": "train.log"}[source]
    alone, together = scan(tmp_path / "all" / one), scan(tmp_path / "all")
    assert [i.first_step for i in together.incidents] == [i.first_step for i in alone.incidents] != []


def test_points_that_only_a_less_precise_source_has_are_filled_in(tmp_path):
    """The event file was lost in mid-run; the console went on to the collapse."""
    points = curve()
    event_file(tmp_path / "events.tfevents.1", [point for point in points if point[0] < 400])
    console(tmp_path / "train.log", points)
    report = scan(tmp_path, points=True)
    (run,) = report.runs
    assert [(share.source.split()[0], share.points) for share in run.series[0].sources] == [
        ("tensorboard", 79),
        ("text", 121),
    ]
    assert list(run.series[0].series.steps) == [step for step, _ in points]
    assert report.exit_code == FINDINGS


def test_two_runs_in_one_directory_stay_two_runs(tmp_path):
    event_file(tmp_path / "events.tfevents.1", curve(1))
    rows(tmp_path / "other_log.jsonl", curve(2))
    assert sorted(formats for _, formats, _ in told(scan(tmp_path))) == ["jsonl", "tensorboard"]


def test_sources_that_contradict_each_other_are_a_finding_and_both_are_audited(tmp_path):
    healthy = [(step, value + 3 + step % 7 / 100 if step >= COLLAPSE else value) for step, value in curve()]
    norms = [(step, 1 + value / 7) for step, value in curve(3)]
    events = [
        scalar_event(step, {"audio_loss": loss, "grad_norm": norm})
        for (step, loss), (_, norm) in zip(healthy, norms, strict=True)
    ]
    write(tmp_path / "events.tfevents.1", events)
    text = "".join(
        json.dumps({"step": step, "audio_loss": loss, "grad_norm": norm}) + "\n"
        for (step, loss), (_, norm) in zip(curve(), norms, strict=True)
    )
    (tmp_path / "train_log.jsonl").write_text(text)
    report = scan(tmp_path)
    (run,) = report.runs
    assert [finding.code for finding in run.findings] == ["sources-disagree"]
    assert len(run.series) == 2
    assert [bool(item.incidents) for item in run.series] == [False, True]
    assert report.exit_code == FINDINGS


def test_console_output_without_steps_takes_those_of_the_event_file(tmp_path):
    points = curve()
    event_file(tmp_path / "events.tfevents.1", points)
    (tmp_path / "train.log").write_text("".join(f"Audio loss: {value:.4f}\n" for _, value in points))
    report = scan(tmp_path)
    assert len(report.runs) == 1
    assert [i.fired_step for i in report.incidents] == [
        i.fired_step for i in scan(tmp_path / "events.tfevents.1").incidents
    ]


def test_many_logs_of_one_format_in_a_directory_are_as_many_runs(tmp_path):
    for number in range(40):
        rows(tmp_path / f"run{number:02}.jsonl", curve(number))
    assert len(scan(tmp_path).runs) == 40


def test_a_collapsed_log_beside_a_healthy_one_is_not_passed_over(tmp_path):
    event_file(tmp_path / "run" / "events.tfevents.1", [(step, value + 3) for step, value in curve(5, last=500)])
    console(tmp_path / "run" / "train.log", curve(6))
    assert scan(tmp_path).exit_code == FINDINGS


def test_a_file_that_looks_like_a_log_and_cannot_be_read_is_named(tmp_path):
    event_file(tmp_path / "events.tfevents.1", curve(5, last=500))
    (tmp_path / "metrics.parquet").write_bytes(b"PAR1\0\0\0\0PAR1")
    report = scan(tmp_path)
    assert [Path(item.path).name for item in report.unread] == ["metrics.parquet"]
    assert report.exit_code == NOT_AUDITED
    assert scan(tmp_path, ScanConfig(allow_unread=True)).exit_code == 0
    assert scan(tmp_path, ScanConfig(exclude=("*.parquet",))).exit_code == 0


def test_what_is_excluded_is_not_looked_at(tmp_path):
    event_file(tmp_path / "good" / "events.tfevents.1", curve(5, last=500))
    event_file(tmp_path / "old" / "bad" / "events.tfevents.1", curve())
    assert scan(tmp_path, ScanConfig(exclude=("old",))).exit_code == 0
    assert scan(tmp_path, ScanConfig(exclude=("*/bad/*",))).exit_code == 0
    assert scan(tmp_path).exit_code == FINDINGS


def test_data_sets_and_what_we_wrote_ourselves_are_no_logs(tmp_path):
    event_file(tmp_path / "events.tfevents.1", curve(5, last=500))
    samples = [{"id": f"utt{n}", "audio": f"{n}.wav", "text": "a b c", "loss": 0.0} for n in range(50)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples))
    alert = {"type": "critical", "severity": "critical", "code": "critical-loss", "step": 3, "value": float("nan")}
    alert |= {"message": "m", "edge": "fired", "incident": "x:1", "wall_time": 0.0}
    (tmp_path / "alerts.jsonl").write_text((json.dumps(alert) + "\n") * 3)
    report = scan(tmp_path)
    assert report.exit_code == 0
    assert sorted(Path(item.path).name for item in report.left_out) == ["alerts.jsonl", "data.jsonl"]
    assert scan(tmp_path / "data.jsonl").exit_code == NOT_AUDITED


def test_losses_that_are_not_audited_are_named(tmp_path):
    events = [scalar_event(step, {"audio_loss": 5.0 + step % 3, "text_loss": 2.0, "lr": 0.1}) for step in range(50)]
    write(tmp_path / "events.tfevents.1", events)
    (run,) = scan(tmp_path).runs
    assert run.not_audited == ["text_loss"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("tag", ["codebook_{}_loss", "loss/{}", "loss " * 20_000 + "{}"])
def test_work_on_tags_is_linear_in_their_number_and_length(tag, tmp_path):
    """Each pair of 20,000 tags once would take half an hour."""
    count = 20_000 if len(tag) < 100 else 1
    values = {tag.format(number): 5.0 for number in range(count)}
    write(tmp_path / "events.tfevents.1", [scalar_event(step, values) for step in range(2)])
    command = [
        sys.executable,
        "-m",
        "audioloss_cli",
        "scan",
        str(tmp_path),
        "--report",
        "json",
        "-o",
        "/dev/null",
        "-q",
    ]
    assert subprocess.run(command, timeout=120, check=False).returncode in (0, 3)
