"""A comparison as one JSON document of schema audioloss.diff/1."""

import math
from typing import Any

from audioloss_cli.comparison.compare import Comparison, RunPair
from audioloss_cli.comparison.model import Entry, RunSide, Side
from audioloss_cli.comparison.parting import Parting

SCHEMA = "audioloss.diff/1"


def document(found: Comparison, exit_code: int) -> dict[str, Any]:
    """Return plain built-in types; numbers that are not finite are strings."""
    return {
        "schema": SCHEMA,
        "exit_code": exit_code,
        "a": _side(found.a),
        "b": _side(found.b),
        "pairs": [_pair(pair) for pair in found.pairs],
        "only_a": [_alone(run) for run in found.only_a],
        "only_b": [_alone(run) for run in found.only_b],
    }


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "is_report": side.is_report, "runs": len(side.runs), "problems": list(side.problems)}


def _pair(pair: RunPair) -> dict[str, Any]:
    return {
        "a": pair.a.name,
        "b": pair.b.name,
        "series": [{"tag": tag, "parting": _parting(each)} for tag, each in pair.partings.items()],
        "only_a": pair.only_a,
        "only_b": pair.only_b,
        "new": [_entry(each) for each in pair.new],
        "gone": [_entry(each) for each in pair.gone],
        "same": [{"a": _entry(each.a), "b": _entry(each.b)} for each in pair.same],
        "settings": [each._asdict() for each in pair.settings],
        "files_of_one": [{"file": file, "run": run} for file, run in pair.files_of_one],
    }


def _parting(parting: Parting | None) -> dict[str, Any] | None:
    if parting is None:
        return None
    return {
        "steps": parting.steps,
        "interpolated": parting.interpolated,
        "first_difference": parting.first_difference,
        "values": [_number(value) for value in parting.values],
        "stretches": [
            {"first_step": each.first_step, "last_step": each.last_step, "a": _number(each.a), "b": _number(each.b)}
            for each in parting.stretches
        ],
        "stays_apart": parting.stays_apart,
        "ends": [_number(value) for value in parting.ends],
    }


def _alone(run: RunSide) -> dict[str, Any]:
    return {"run": run.name, "entries": [_entry(each) for each in run.entries]}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "fingerprint": entry.fingerprint,
        "code": entry.code,
        "severity": str(entry.severity),
        "standing": entry.standing,
        "tag": entry.place.tag,
        "segment": entry.place.segment,
        "first_step": entry.step,
        "message": entry.message,
    }


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
