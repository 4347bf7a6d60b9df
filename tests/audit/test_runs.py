"""What makes a run: its files in order, its series in order, and the names they go by."""

import random
import sys
import types
from pathlib import Path

import pytest

from audioloss_cli import registry, scan
from audioloss_cli.model import Defect, SeriesCollector
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED
from tests.event_files import scalar_event, write
from tests.wobble import wobbly

LOW, HIGH = [*wobbly(6.9, 20), *wobbly(0.001, 20)], wobbly(6.9, 40)


def events(values, tag="loss", first=0):
    return [scalar_event(step, {tag: value}) for step, value in enumerate(values, first)]


def test_the_files_of_a_run_are_listed_and_read_in_order(tmp_path):
    for number in (2, 3, 1):
        write(tmp_path / f"events.out.tfevents.{number}", events([float(number)] * 2, first=number * 2))
    (run,) = scan(tmp_path, points=True).runs
    assert [Path(file).name for file in run.files] == [f"events.out.tfevents.{number}" for number in (1, 2, 3)]
    assert list(run.series[0].series.values) == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(("restarts", "reordered"), [(10, False), (11, True)])
def test_steps_that_go_back_too_often_are_no_restarts(restarts, reordered, tmp_path, audioloss):
    """Ten times, or one point in twenty: beyond that several processes write into one file."""
    steps = [start + step for start in range(restarts + 1) for step in range(4)]
    write(tmp_path / "x.tfevents", [scalar_event(step, {"loss": 3.0}) for step in steps])
    (item,) = scan(tmp_path, points=True).runs[0].series
    assert item.reordered is reordered
    assert len(item.segment_starts) == (1 if reordered else restarts + 1)
    assert list(item.series.steps) == (sorted(steps) if reordered else steps)
    assert ("sorted: the log is out of order" in audioloss("scan", tmp_path).out.replace("\n   ", "")) is reordered


def test_a_log_out_of_order_is_audited_in_order(tmp_path):
    points = list(enumerate(LOW))
    random.Random(1).shuffle(points)
    write(tmp_path / "x.tfevents", [scalar_event(step, {"loss": value}) for step, value in points])
    report = scan(tmp_path, points=True)
    (item,), (incident,) = report.runs[0].series, report.incidents
    # A loss that may be small by nature, and was above 1 nat, is low at its second low point.
    assert (incident.first_step, incident.last_step, incident.points) == (21, 39, 19)
    assert list(zip(item.series.steps, item.series.values, strict=True)) == [
        (step, pytest.approx(value)) for step, value in enumerate(LOW)
    ]
    assert list(item.series.wall_times) == [1.7e9 + step for step in range(40)]


def test_the_summary_of_the_trainer_stands_in_for_nothing_beside_its_loss(tmp_path):
    summary = scalar_event(40, {"train/train_loss": 0.001, "train/total_flos": 1e15})
    write(tmp_path / "x.tfevents", [*events(HIGH, "train/loss"), summary])
    report = scan(tmp_path, points=True)
    assert [item.tag for item in report.runs[0].series] == ["train/loss"]
    assert report.exit_code == CLEAN
    write(tmp_path / "x.tfevents", [summary])
    assert scan(tmp_path, points=True).exit_code == FINDINGS


@pytest.fixture
def toy(monkeypatch, tmp_path) -> Path:
    """A log of a format that keeps several runs in one file."""

    def read(path, request):
        for run, values in (("b", LOW), ("a", HIGH), ("", HIGH)):
            found = SeriesCollector(run=run)
            for step, value in enumerate(values):
                found.append("audio_loss", step, value, float("nan"))
            yield from found.flush()
        yield Defect(str(path), "malformed", "no number", line=7)

    module = types.ModuleType("audioloss_cli.readers.toy")
    module.ORDER, module.CONTINUES, module.run_of = 1, False, lambda path: path
    module.claims, module.read = lambda file: file.suffix == ".toy", read
    names = registry.names
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "names", lambda folder: names(folder) + ("toy",) * (folder == "readers"))
    path = tmp_path / "x.toy"
    path.touch()
    return path


def test_each_run_inside_a_file_is_a_run_of_its_own(toy):
    report = scan(toy)
    assert [(run.run, run.format, run.files) for run in report.runs] == [
        (str(toy), "toy", [str(toy)]),
        (f"{toy}/a", "toy", [str(toy)]),
        (f"{toy}/b", "toy", [str(toy)]),
    ]
    assert [[len(item.incidents) for item in run.series] for run in report.runs] == [[0], [0], [1]]
    assert [incident.id for incident in report.incidents] == [f"{toy}/b:audio_loss:low-loss@20"]
    assert len(report.defects) == 1


def test_a_file_of_several_runs_is_reached_by_its_path(toy, tmp_path):
    (tmp_path / "empty").mkdir()
    assert scan(toy.parent).exit_code == FINDINGS
    assert [item.asked for item in scan([toy, tmp_path / "empty"]).unaudited] == [str(tmp_path / "empty")]
    assert scan(tmp_path / "empty").exit_code == NOT_AUDITED
