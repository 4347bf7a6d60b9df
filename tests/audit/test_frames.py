"""A report as DataFrames."""

import math

from audioloss_cli import scan
from tests.event_files import scalar_event, write
from tests.wobble import wobbly

LOW = [*wobbly(6.9, 20), *wobbly(0.001, 20)]


def rows(tag: str, values, **more):
    return [{"step": step, tag: value, **more} for step, value in enumerate(values)]


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
    full, empty = scan(jsonl(*rows("loss", LOW))).to_frame(), scan(tmp_path / "nowhere", allow_missing=True).to_frame()
    for ours, theirs in zip(full, empty, strict=True):
        assert list(ours.columns) == list(theirs.columns)
        assert len(theirs) == 0
        assert [str(dtype) for dtype in theirs.dtypes] == [str(dtype) for dtype in ours.dtypes]


def test_segments_of_points(tmp_path):
    write(tmp_path / "events.out.tfevents.1", [scalar_event(step, {"loss": 3.0}) for step in [0, 1, 2, 0, 1]])
    assert scan(tmp_path).to_frame().points["segment"].tolist() == [0, 0, 0, 1, 1]
