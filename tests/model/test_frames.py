"""Reports as pandas DataFrames, whatever is in them."""

import math

import pandas as pd
import pytest

from audioloss_cli import AudioLossMonitor, Limits, Report, Series
from audioloss_cli.model import MISSING, RunReport
from audioloss_cli.model.frames import Frames
from audioloss_cli.model.report import Source
from audioloss_cli.model.series_report import AuditedSeries
from tests.outputs.reports import REPORTS


def report_of(values: list[float], times: list[float], *, run: str = "runs/a", finished: bool = True) -> Report:
    series, monitor = Series("loss", list(range(len(values))), values, times), AudioLossMonitor()
    monitor.replay(series)
    incidents = monitor.finish() if finished else monitor.incidents
    item = AuditedSeries(series, "audio", Limits(), monitor.segment_starts, incidents).finished(keep_points=True)
    return Report(runs=[RunReport(run, [Source("jsonl", [])], [item])])


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_frames_of_the_same_columns_and_types(name):
    empty, frames = Report().to_frame(), REPORTS[name].to_frame()
    assert isinstance(frames, Frames)
    for one, other in zip(frames, empty, strict=True):
        assert one.dtypes.to_dict() == other.dtypes.to_dict()
    assert len(frames.incidents) == len(REPORTS[name].incidents)
    assert len(frames.points) == sum(len(item.series) for run in REPORTS[name].runs for item in run.series)


@pytest.mark.parametrize("time", [1e300, -1e300, 1e18, math.inf, -math.inf, math.nan])
def test_a_time_that_no_calendar_has_is_no_time(time):
    incidents, points = report_of([0.001, 2.0], [time, 1.7e9]).to_frame()
    assert points["wall_time"].isna().tolist() == [True, False]
    assert points["wall_time"][1] == pd.Timestamp(1.7e9, unit="s", tz="UTC")
    assert incidents["first_wall_time"].isna().tolist() == [True]
    assert incidents["resolved_wall_time"].tolist() == [pd.Timestamp(1.7e9, unit="s", tz="UTC")]


def test_what_is_not_known_is_empty():
    incidents, points = report_of([2.0, 0.001], [math.nan] * 2, finished=False).to_frame()
    assert incidents[["resolution", "resolved_step", "resolved_wall_time"]].isna().all(axis=None)
    assert (incidents["fired_step"].tolist(), incidents["flapping"].tolist()) == ([1], [False])
    assert points["wall_time"].isna().all()


def test_values_are_as_logged():
    _, points = report_of([2.0, MISSING, math.inf, -math.inf, 1e-320], [1.7e9] * 5).to_frame()
    assert points["value"].isna().tolist() == [False, True, False, False, False]
    assert points["value"].tolist()[2:] == [math.inf, -math.inf, 1e-320]


def test_a_path_that_is_no_utf8_is_spelled_out():
    incidents, points = report_of([0.001], [1.7e9], run="runs/\udcff").to_frame()
    assert incidents["run"].tolist() == points["run"].tolist() == ["runs/\\udcff"]


def test_steps_are_whole_and_as_wide_as_int64():
    last = 2**63 - 1
    item = AuditedSeries(Series("loss", [-(2**63), last], [2.0, 2.0]), "audio", Limits(), [0, 1], []).finished(
        keep_points=True
    )
    points = Report(runs=[RunReport("runs/a", [Source("jsonl", [])], [item])]).to_frame().points
    assert points["step"].tolist() == [-(2**63), last]
    assert points["segment"].tolist() == [0, 1]
