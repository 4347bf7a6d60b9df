"""A report as pandas DataFrames; imported only when asked for."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd  # noqa: TID253  # this file is the one door to pandas, and Report.to_frame opens it late

from audioloss_cli.model.incident import Incident
from audioloss_cli.model.report import Report
from audioloss_cli.model.series_report import SeriesReport

_INT, _FLOAT, _TEXT, _FLAG, _TIME = "Int64", "float64", "str", "bool", "datetime64[ns, UTC]"
_INCIDENT_COLUMNS = {
    "run": _TEXT,
    "tag": _TEXT,
    "id": _TEXT,
    "code": _TEXT,
    "type": _TEXT,
    "severity": _TEXT,
    "segment": _INT,
    "first_step": _INT,
    "fired_step": _INT,
    "last_step": _INT,
    "resolved_step": _INT,
    "resolution": _TEXT,
    "worst_value": _FLOAT,
    "worst_step": _INT,
    "points": _INT,
    "fire_count": _INT,
    "flapping": _FLAG,
    "first_wall_time": _TIME,
    "last_wall_time": _TIME,
    "resolved_wall_time": _TIME,
    "message": _TEXT,
    "advice": _TEXT,
    "causes": _TEXT,
    "fingerprint": _TEXT,
    "standing": _TEXT,
    "standing_reason": _TEXT,
}


class Frames(NamedTuple):
    """Two DataFrames: one row an incident, one row a point."""

    incidents: pd.DataFrame
    points: pd.DataFrame


def frames(report: Report) -> Frames:
    """Build both frames; empty reports give empty frames with the same columns and dtypes."""
    return Frames(_incidents(report), _points(report))


def _incidents(report: Report) -> pd.DataFrame:
    rows = [
        {"run": run.run, "tag": item.tag, **incident, "causes": _slugs(incident)}
        for run in report.runs
        for item in run.series
        for incident in item.incidents
    ]
    return pd.DataFrame(
        {name: _column([_encodable(row[name]) for row in rows], dtype) for name, dtype in _INCIDENT_COLUMNS.items()}
    )


def _slugs(incident: Incident) -> str:
    """The likely causes by name, the most likely first; the report has the evidence."""
    return ", ".join(cause.cause for cause in incident.causes)


def _column(values: Sequence[Any], dtype: str) -> pd.Series:
    if dtype == _TIME:
        return pd.to_datetime(pd.Series(values, dtype="float64"), unit="s", utc=True, errors="coerce")
    return pd.Series(values, dtype=dtype)


def _encodable(value: Any) -> Any:
    """Text that pyarrow takes: a path that is no UTF-8 holds surrogates."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _points(report: Report) -> pd.DataFrame:
    parts = [_series_points(run.run, item) for run in report.runs for item in run.series]
    return pd.concat(parts or [_series_points("", None)], ignore_index=True)


def _series_points(run: str, item: SeriesReport | None) -> pd.DataFrame:
    steps, values, times = _columns(item)
    return pd.DataFrame(
        {
            "run": _column([_encodable(run)] * len(steps), _TEXT),
            "tag": _column([_encodable(item.tag if item else "")] * len(steps), _TEXT),
            "segment": _column(_segments(item), "int64"),
            "step": _column(steps, "int64"),
            "value": _column(values, _FLOAT),
            "wall_time": _column(times, _TIME),
        }
    )


def _columns(item: SeriesReport | None) -> tuple[Sequence[int], Sequence[float], Sequence[float]]:
    if item is None:
        return [], [], []
    if item.series is None:
        raise ValueError("the report keeps no points; scan with points=True")
    return item.series.steps, item.series.values, item.series.wall_times


def _segments(item: SeriesReport | None) -> list[int]:
    if item is None:
        return []
    ends = [*item.segment_starts[1:], item.points]
    return [
        number
        for number, (start, end) in enumerate(zip(item.segment_starts, ends, strict=True))
        for _ in range(end - start)
    ]
