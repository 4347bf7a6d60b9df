"""A report as pandas DataFrames; imported only when asked for."""

from typing import NamedTuple

import pandas as pd  # noqa: TID253  # this file is the one door to pandas, and Report.to_frame opens it late

from audioloss_cli.records.incident import Incident
from audioloss_cli.records.report import Report, SeriesReport

_STEPS = ("first_step", "fired_step", "last_step", "resolved_step", "worst_step")
_TIMES = ("first_wall_time", "last_wall_time", "resolved_wall_time")
_COLUMNS = [name for name in Incident.__dataclass_fields__ if name != "timeline"]


class Frames(NamedTuple):
    """Two DataFrames: one row an incident, one row a point."""

    incidents: pd.DataFrame
    points: pd.DataFrame


def frames(report: Report) -> Frames:
    """Build both frames; empty reports give empty frames with the same columns and dtypes."""
    return Frames(_incidents(report), _points(report))


def _incidents(report: Report) -> pd.DataFrame:
    rows = [
        {"run": run.run, "tag": item.series.tag, **{name: incident[name] for name in _COLUMNS}}
        for run in report.runs
        for item in run.series
        for incident in item.incidents
    ]
    frame = pd.DataFrame(rows, columns=["run", "tag", *_COLUMNS])
    frame["severity"] = frame["severity"].astype(str)
    for name in _STEPS:
        frame[name] = frame[name].astype("Int64")
    for name in _TIMES:
        frame[name] = pd.to_datetime(frame[name].astype("float64"), unit="s", utc=True)
    return frame


def _points(report: Report) -> pd.DataFrame:
    parts = [_series_points(run.run, item) for run in report.runs for item in run.series]
    return pd.concat(parts or [_series_points("", None)], ignore_index=True)


def _series_points(run: str, item: SeriesReport | None) -> pd.DataFrame:
    steps, values, times = (item.series.steps, item.series.values, item.series.wall_times) if item else ([], [], [])
    return pd.DataFrame(
        {
            "run": pd.Series([run] * len(steps), dtype="str"),
            "tag": pd.Series([item.series.tag if item else ""] * len(steps), dtype="str"),
            "segment": pd.Series(_segments(item), dtype="int64"),
            "step": pd.Series(steps, dtype="int64"),
            "value": pd.Series(values, dtype="float64"),
            "wall_time": pd.to_datetime(pd.Series(times, dtype="float64"), unit="s", utc=True),
        }
    )


def _segments(item: SeriesReport | None) -> list[int]:
    if item is None:
        return []
    ends = [*item.segment_starts[1:], len(item.series)]
    return [
        number
        for number, (start, end) in enumerate(zip(item.segment_starts, ends, strict=True))
        for _ in range(end - start)
    ]
