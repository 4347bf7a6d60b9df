"""The report as plain built-in types of schema audioloss.report/1, spelled out field by field.

The schema lies beside this file. Only additions are made under one version: dumping internals would turn every
refactoring into a break for those who parse it.
"""

import json
import math
import re
from typing import Any

from audioloss_cli.model import (
    Defect,
    Edge,
    Finding,
    Incident,
    LikelyCause,
    Report,
    RunReport,
    SeriesReport,
    is_missing,
)
from audioloss_cli.model.checkpoint_report import CheckpointReport
from audioloss_cli.model.learning import LearningFigure

SCHEMA = "audioloss.report/1"
_UNUSUAL = re.compile(r"[^\n -~]")
_ONE_ESCAPE = 0xFFFF


def as_json(item: Any, *, ascii_only: bool, indent: int | None = None) -> str:
    """Return an item as JSON in which every character is one to look at, apart from the newlines of ``indent``."""
    text = json.dumps(item, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    return text if text.isascii() and "\x7f" not in text else _UNUSUAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """Such characters stand in strings alone, where JSON has an escape for each, of two halves beyond U+FFFF."""
    if found[0].isprintable():
        return found[0]
    return json.dumps(found[0])[1:-1] if ord(found[0]) > _ONE_ESCAPE else f"\\u{ord(found[0]):04x}"


def document(report: Report, *, verbose: bool = False) -> dict[str, Any]:
    """Return the document as plain built-in types; numbers that are not finite are strings.

    Files that are no logs of a training are listed if ``verbose``.
    """
    runs = [run_document(run) for run in report.runs]
    return {"schema": SCHEMA, "runs": runs, **envelope(report, verbose=verbose)}


def envelope(report: Report, *, verbose: bool = False) -> dict[str, Any]:
    """Return what the document says beside its schema and its runs."""
    return {
        "exit_code": report.exit_code,
        "config_file": report.config_file,
        "gate": {
            "fail_on": report.gate.fail_on,
            "allow_defects": report.gate.allow_defects,
            "allow_unread": report.gate.allow_unread,
            "max_incidents": report.gate.max_incidents,
            "require_tags": list(report.gate.require_tags),
            "min_steps": report.gate.min_steps,
            "fail_on_stale_suppressions": report.gate.fail_on_stale_suppressions,
            "exit_zero": report.gate.exit_zero,
        },
        "notes": report.notes,
        "findings": [_finding(item) for item in report.findings],
        "diagnoses": [
            {
                "cause": item.cause,
                "rank": item.rank,
                "evidence": item.evidence,
                "ruled_out": item.ruled_out,
                "fix": item.fix,
                "about": item.about,
            }
            for item in report.diagnoses
        ],
        "unaudited": [
            {"asked": item.asked, "reason": item.reason, "tags": item.tags, "hint": item.hint}
            for item in report.unaudited
        ],
        "defects": [_defect(defect) for defect in report.stray_defects],
        "unread": [{"path": item.path, "reason": item.reason, "hint": item.hint} for item in report.unread],
        "left_out": [{"path": item.path, "reason": item.reason} for item in report.left_out if verbose],
        "stale_suppressions": [
            {"suppression": item.suppression, "reason": item.reason, "file": item.file}
            for item in report.stale_suppressions
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "evidence": _deep(finding.evidence),
        "advice": finding.advice,
        **_standing(finding),
    }


def _standing(finding: Finding | Incident) -> dict[str, str]:
    return {
        "fingerprint": finding.fingerprint,
        "standing": finding.standing,
        "standing_reason": finding.standing_reason,
    }


def run_document(run: RunReport) -> dict[str, Any]:
    """Return a run as it stands in the list of runs."""
    return {
        "run": run.run,
        "identity": run.identity,
        "format": run.format,
        "note": run.note,
        "files": run.files,
        "sources": [{"format": source.format, "files": source.files} for source in run.sources],
        "tags": run.tags,
        "not_audited": run.not_audited,
        "details": run.details,
        "findings": [_finding(item) for item in run.findings],
        "blank": run.blank,
        "series": [_series(item) for item in run.series],
        "learning": [_learning(item) for item in run.learning],
        "checkpoint": _checkpoint(run.checkpoint) if run.checkpoint else None,
        "defects": [_defect(defect) for defect in run.defects],
    }


def _checkpoint(item: CheckpointReport) -> dict[str, Any]:
    return {
        "step": item.step,
        "family": item.family,
        "nbytes": item.nbytes,
        "tensors": item.tensors,
        "parameters": item.parameters,
        "dtypes": item.dtypes,
        "against": item.against,
        "modules": [
            {
                "name": module.name,
                "tensors": module.tensors,
                "parameters": module.parameters,
                "dtypes": list(module.dtypes),
                "norm": _known(module.norm),
                "change": _known(module.change),
                "unchanged": module.unchanged,
                "faults": module.faults,
            }
            for module in item.modules
        ],
        "imports": item.imports,
        "notes": item.notes,
    }


def _learning(item: LearningFigure) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "tag": item.tag,
        "codebook": item.codebook,
        "points": item.points,
        "first": _number(item.first),
        "last": _number(item.last),
        "last_step": item.last_step,
        "chance": item.chance,
    }


def _series(item: SeriesReport) -> dict[str, Any]:
    parts = item.envelope.parts
    return {
        "tag": item.tag,
        "role": item.role,
        "points": item.points,
        "first_step": parts[0].first_step,
        "last_step": parts[-1].last_step,
        "step_source": item.step_source,
        "axis": {"unit": item.axis.unit, "per_update": item.axis.per_update, "reason": item.axis.reason},
        "segments": len(item.segment_starts),
        "reordered": item.reordered,
        "kind": item.kind,
        "kind_reason": item.kind_reason,
        "window_size": item.limits.window_size,
        "threshold": item.limits.threshold,
        "critical_threshold": item.limits.critical_threshold,
        "sources": [{"source": share.source, "tag": share.tag, "points": share.points} for share in item.sources],
        "incidents": [_incident(incident) for incident in item.incidents],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "code": incident.code,
        "type": incident.type,
        "severity": incident.severity,
        "segment": incident.segment,
        "first_step": incident.first_step,
        "fired_step": incident.fired_step,
        "last_step": incident.last_step,
        "resolved_step": incident.resolved_step,
        "resolution": incident.resolution,
        "duration_steps": incident.duration_steps,
        "first_wall_time": _known(incident.first_wall_time),
        "last_wall_time": _known(incident.last_wall_time),
        "resolved_wall_time": _known(incident.resolved_wall_time),
        "worst_value": _number(incident.worst_value),
        "worst_step": incident.worst_step,
        "points": incident.points,
        "fire_count": incident.fire_count,
        "flapping": incident.flapping,
        "message": incident.message,
        "advice": incident.advice,
        "timeline": [_edge(edge) for edge in incident.timeline],
        "certainty": incident.certainty,
        "settled_by": incident.settled_by,
        "causes": [_cause(cause) for cause in incident.causes],
        **_standing(incident),
    }


def _cause(cause: LikelyCause) -> dict[str, Any]:
    return {
        "cause": cause.cause,
        "rank": cause.rank,
        "evidence": cause.evidence,
        "against": cause.against,
        "confirm": cause.confirm,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "step": edge.step,
        "wall_time": _known(edge.wall_time),
        "edge": edge.edge,
        "type": edge.type,
        "value": _number(edge.value),
        "code": edge.code,
    }


def _defect(defect: Defect) -> dict[str, Any]:
    return {
        "path": defect.path,
        "offset": defect.offset,
        "line": defect.line,
        "kind": defect.kind,
        "message": defect.message,
    }


def _number(value: float) -> float | str | None:
    """A finite number as it is, NaN and the infinities as strings, a missing value as null."""
    if math.isfinite(value):
        return value
    if is_missing(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _known(value: float) -> float | None:
    """Null for what is not known: a time that was not logged, a norm that was not measured."""
    return value if math.isfinite(value) else None


def _deep(item: Any) -> Any:
    """Evidence is free in form: spell the floats in it, wherever they stand."""
    if isinstance(item, dict):
        return {key: _deep(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [_deep(value) for value in item]
    return _number(item) if isinstance(item, float) else item
