"""From an argument to a side: a JSON report is read, anything else is scanned."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Any

from audioloss_cli import registry
from audioloss_cli.audit import scan
from audioloss_cli.comparison.model import Curve, Entry, Place, RunSide, Side
from audioloss_cli.comparison.settings import settings_beside
from audioloss_cli.config import ScanConfig
from audioloss_cli.findings.identity import identities
from audioloss_cli.model import Gate, Incident, Limits, Report, RunReport, Severity

_SCHEMA = "audioloss.report/"
_HEAD = 4096  # bytes in which a report of ours names its schema
_LARGEST = 1 << 30


class SideError(ValueError):
    """A side that cannot be compared; the message names it, the place in it and the remedy."""


def side_of(argument: str, config: ScanConfig) -> Side:
    """Return what is compared of an argument.

    Args:
        argument: a report of ``audioloss scan --report json``, or a PATH as of a scan.
        config: for the scan.

    Raises:
        SideError: a report that is damaged, too large, or of another schema.
    """
    if _is_report(argument):
        return _reported(argument, config.gate)
    report = scan([argument], config, points=True, allow_missing=True)
    runs = [_scanned(run) for run in report.runs if run.series or run.findings]
    files = [file for run in report.runs for file in run.files]
    is_complete = _is_complete(report.unaudited, report.defects, report.unread, config.gate)
    return Side(argument, runs, problems=list(_problems(report)), is_complete=bool(runs) and is_complete, files=files)


def _is_report(argument: str) -> bool:
    path = Path(argument)
    try:
        if path.suffix != ".json" or not path.is_file():
            return False
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except (OSError, ValueError):
        return False
    return head.lstrip().startswith(b"{") and f'"{_SCHEMA}'.encode() in head


def _scanned(run: RunReport) -> RunSide:
    entries = [
        Entry(
            Place(identity.group, identity.tag, identity.segment, identity.ordinal),
            one.code,
            one.severity,
            one.message,
            one.standing,
            one.first_step if isinstance(one, Incident) else None,
            one.fingerprint,
        )
        for one, identity in identities(run)
    ]
    curves = {item.tag: Curve(item.series.steps, item.series.values) for item in run.series if item.series is not None}
    return RunSide(run.run, run.identity, entries, curves, settings_beside(map(Path, run.files)))


def _problems(report: Report) -> Iterator[str]:
    for item in report.unaudited:
        yield f"{item.asked}: {item.reason}" + (f"; {item.hint}" if item.hint else "")
    for defect in report.defects:
        yield f"{defect.place}: {defect.kind}: {defect.message}"
    for file in report.unread:
        yield f"{file.path}: {file.reason}; {file.hint}"


def _is_complete(unaudited: Sized, defects: Sized, unread: Sized, gate: Gate) -> bool:
    return not (unaudited or (defects and not gate.allow_defects) or (unread and not gate.allow_unread))


def _reported(argument: str, gate: Gate) -> Side:
    try:
        if Path(argument).stat().st_size > _LARGEST:
            raise SideError(f"{argument}: more than {_LARGEST >> 30} GiB are no report of ours; compare the runs")
        document = json.loads(Path(argument).read_text(encoding="utf-8"))
        if document["schema"] != f"{_SCHEMA}1":
            raise SideError(f"{argument}: schema {document['schema']!r} is not {_SCHEMA}1; write the report anew")
        runs = [_run_of(run) for run in document["runs"]]
        runs = [run for run in runs if run.curves or run.entries]
        defects = [*(each for run in document["runs"] for each in run["defects"]), *document["defects"]]
        unaudited, unread = document["unaudited"], document.get("unread", [])
        problems = [f"{item['asked']}: {item['reason']}" for item in unaudited]
        problems += [f"{item['path']}: {item['kind']}: {item['message']}" for item in defects]
        problems += [f"{item['path']}: {item['reason']}" for item in unread]
    except (OSError, RecursionError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, SideError):
            raise
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise SideError(f"{argument}: a damaged report: {what}; write it anew with --report json") from None
    is_complete = _is_complete(unaudited, defects, unread, gate)
    return Side(argument, runs, True, problems, bool(runs) and is_complete, [argument])


def _run_of(run: Mapping[str, Any]) -> RunSide:
    counted = Counter[tuple[str, str, int]]()
    found = [(item["tag"], incident) for item in run["series"] for incident in item["incidents"]]
    found += [("", finding) for finding in run.get("findings", ())]
    entries = [_entry(tag, one, counted) for tag, one in found]
    curves = {str(item["tag"]): None for item in run["series"]}
    return RunSide(str(run["run"]), str(run.get("identity") or run["run"]), entries, curves)


def _entry(tag: str, one: Mapping[str, Any], counted: Counter[tuple[str, str, int]]) -> Entry:
    place = (_group_of(str(one["code"])), tag or _first_tag(one.get("evidence", {})), int(one.get("segment", 0)))
    entry = Entry(
        Place(*place, counted[place]),
        str(one["code"]),
        Severity(one["severity"]),
        str(one["message"]),
        str(one.get("standing", "found")),
        int(one["first_step"]) if "first_step" in one else None,
        str(one.get("fingerprint", "")),
    )
    counted[place] += 1
    return entry


def _group_of(code: str) -> str:
    """The group of a rule: what escalates keeps its place. A code of no rule stands for itself."""
    name = code.replace("-", "_")
    return str(registry.load("rules", name).Rule(Limits()).group) if name in registry.names("rules") else code


def _first_tag(evidence: Mapping[str, Any]) -> str:
    tags: Iterable[Any] = evidence.get("tags") or [evidence.get("tag") or evidence.get("field") or ""]
    first = next(iter(tags), "")
    return first if isinstance(first, str) else ""
