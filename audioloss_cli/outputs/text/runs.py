"""Each run: its series, their sparklines and the timelines of their incidents."""

import math
from collections.abc import Iterator
from dataclasses import replace

from audioloss_cli.model import Edge, Finding, Incident, RunReport, SeriesReport, Severity, View
from audioloss_cli.outputs._figures import moment, number
from audioloss_cli.outputs._verdict import first_step, plural
from audioloss_cli.outputs.text.causes import cause_lines
from audioloss_cli.outputs.text.checkpoint import checkpoint_lines
from audioloss_cli.outputs.text.layout import STYLES, Line, line, paragraph
from audioloss_cli.outputs.text.learning import learning_lines
from audioloss_cli.outputs.text.sparkline import alert_row, sparkline

_MOST_INCIDENTS = 10
_MOST_EDGES = 8
_MOST_TAGS = 10
_MARGIN = 30  # beside the sparkline: the highest value on its left, the lowest on its right
_HOW_IT_ENDED = {
    "recovered": "recovered at step {:,}",
    "run_ended": "unresolved: the run ended while it fired",
    "restarted": "unresolved: the training restarted while it fired",
}

_KINDS = {
    "small": "a loss that is small by nature",
    "rl": "a loss that may be anything finite",
    "signed": "a loss that may be negative",
    "open": "a loss of which nothing tells whether it is small by nature",
}
_COUNTED, _SORTED = "counted: the log has no steps", "sorted: the log is out of order"
_UNITS = {"sample": "samples", "token": "tokens", "epoch": "epochs", "point": "points"}

_NO_MOMENT = " " * 20  # as wide as one


def is_clean(run: RunReport) -> bool:
    """Tell whether there is nothing to show of a run but that it was audited, or not."""
    if run.checkpoint is not None:
        return all(each.severity is Severity.INFO for each in run.findings)
    return not run.standings and not any(item.has_learnt_nothing for item in run.learning)


def run_lines(run: RunReport, view: View) -> Iterator[Line]:
    """A run with its findings and its series: those with incidents in full, with -v all."""
    if not run.series and not run.findings and run.checkpoint is None:
        yield line()
        tags = f" ({', '.join(run.tags[:_MOST_TAGS])})" if run.tags else ""
        yield from paragraph(f"{run.run} [{run.format}]: {run.note}{tags}", view, indent=0, hang=2)
        return
    yield line()
    yield line((run.run, "bold"), f"  [{run.format}]")
    yield from _notes(run, view)
    if run.checkpoint is not None:
        yield from checkpoint_lines(run.checkpoint, view)
    for finding in run.findings:
        yield from _finding(finding, view)
    for item in run.series:
        if view.verbosity > 0 or any(each.standing == "found" for each in item.incidents):
            yield from _series(item, view)
        elif item.incidents:
            yield from (part for each in item.incidents for part in _apart(each, item.tag, view))
        else:
            yield from paragraph(f"{item.tag}: no incidents in {_extent(item)}", view, indent=2, hang=2)
            for remark in _remarks(item, view):
                yield from paragraph(remark, view, indent=4, hang=2)
    yield from learning_lines(run, view)


def run_remarks(run: RunReport, view: View) -> Iterator[str]:
    """What is peculiar about a run and its series, whether something was found in it or not."""
    if run.note:
        yield f"note: {run.note}"
    if run.not_audited:
        shown = run.not_audited if view.verbosity > 0 else run.not_audited[:_MOST_TAGS]
        more = f", and {len(run.not_audited) - len(shown)} more" if len(run.not_audited) > len(shown) else ""
        yield f"not audited: {', '.join(shown)}{more}"
    for item in run.series:
        for remark in (*_order(item), *_remarks(item, view)):
            yield f"{item.tag}: {remark}"


def _notes(run: RunReport, view: View) -> Iterator[Line]:
    for remark in run_remarks(replace(run, series=[]), view):
        yield from paragraph(remark, view, indent=2, hang=2)
    if view.verbosity > 0:
        for detail in run.details:
            yield from paragraph(f"read: {detail}", view, indent=2, hang=2)


def _finding(finding: Finding, view: View) -> Iterator[Line]:
    if finding.standing != "found" and view.verbosity <= 0:
        yield from _apart(finding, "", view)
        return
    yield line("  ", (str(finding.severity).upper(), STYLES[finding.severity]), f" {finding.code}")
    yield from paragraph(finding.message, view, indent=4)
    yield from identity_lines(finding, view)


def _apart(finding: Incident | Finding, tag: str, view: View) -> Iterator[Line]:
    """What is known or suppressed, in a line."""
    step = first_step(finding)
    at = "" if step is None else f" at step {step:,}"
    where = f" of {tag}" if tag else ""
    name = f" [{finding.fingerprint}]" if finding.fingerprint else ""
    reason = f": {finding.standing_reason}" if finding.standing_reason else ""
    yield from paragraph(f"{finding.standing}: {finding.code}{at}{where}{name}{reason}", view, indent=2, hang=2)


def identity_lines(finding: Incident | Finding, view: View) -> Iterator[Line]:
    """The fingerprint of a finding, and its standing with the reason for it, where it has them and they matter."""
    if finding.severity is Severity.INFO and view.verbosity <= 0:
        return
    standing = "" if finding.standing == "found" else f"{finding.standing}: "
    reason = f"{standing}{finding.standing_reason}"
    parts = [f"fingerprint {finding.fingerprint}" if finding.fingerprint else "", reason]
    if any(parts):
        yield from paragraph("; ".join(filter(None, parts)), view, indent=4, hang=2)


def _series(item: SeriesReport, view: View) -> Iterator[Line]:
    yield line("  ", (item.tag, "bold cyan"))
    yield from paragraph(_extent(item), view, indent=4)
    for remark in _remarks(item, view):
        yield from paragraph(remark, view, indent=4, hang=2)
    extremes = item.extremes
    if extremes:
        width = max(view.width - _MARGIN, 10)
        row = sparkline(item.envelope, width, unicode=view.unicode)
        yield line(f"  {number(extremes[1]):>9} {row} lowest {number(extremes[0])}")
        if item.incidents:
            yield line((" " * 12 + alert_row(item, width), "red"))
    shown = item.incidents if view.verbosity > 0 else item.incidents[:_MOST_INCIDENTS]
    for incident in shown:
        yield from _incident(incident, view)
    if len(item.incidents) > len(shown):
        yield line(f"  ... and {plural(len(item.incidents) - len(shown), 'more incident')}; -v lists them")


def _order(item: SeriesReport) -> list[str]:
    """Where the steps are not those of the log, or not in its order."""
    counted = [_COUNTED] if item.step_source in ("line", "ordinal") else []
    return counted + ([_SORTED] if item.reordered else [])


def _remarks(item: SeriesReport, view: View) -> Iterator[str]:
    """What the steps count, where that is not plain, and why fixed thresholds were not applied, where that matters."""
    in_full = view.verbosity > 0
    if item.axis.reason and (in_full or item.axis.unit != "point"):  # points that were counted, only with -v
        yield f"axis: {item.axis.reason}"
    if item.kind == "open" and in_full:
        yield f"taken for {_KINDS[item.kind]}: fixed thresholds are warnings"
    elif item.kind not in ("ce", "open") and (in_full or _goes_below(item)):
        text = f"taken for {_KINDS[item.kind]}, to which the fixed thresholds do not apply: {item.kind_reason}"
        yield f"{text} (--kind ce applies them)"


def _goes_below(item: SeriesReport) -> bool:
    return item.extremes is not None and item.extremes[0] < item.limits.threshold


def _sources(item: SeriesReport) -> str:
    """Which source gave how many points, where there are several."""
    if len(item.sources) < 2:  # noqa: PLR2004
        return ""
    return "; from " + ", ".join(f"{share.source} {share.points:,}" for share in item.sources)


def _extent(item: SeriesReport) -> str:
    text = f"{plural(item.points, 'point')}, {_UNITS.get(item.axis.unit, 'steps')}"
    first, last = item.span
    text += f" {first:,} to {last:,}"
    counted, unordered = _COUNTED in _order(item), _SORTED in _order(item)
    text += f" ({_COUNTED})" if counted else ""
    restarts = len(item.segment_starts) - 1
    text += f", {plural(restarts, 'restart')}" if restarts else ""
    return text + (f", {_SORTED}" if unordered else "") + _sources(item)


def _incident(incident: Incident, view: View) -> Iterator[Line]:
    if incident.standing != "found" and view.verbosity <= 0:
        yield from _apart(incident, "", view)
        return
    steps = f"steps {incident.first_step:,} to {incident.last_step:,}"
    yield line(
        "  ",
        (str(incident.severity).upper(), STYLES[incident.severity]),
        f" {incident.code}, {steps}, {plural(incident.points, 'point')}",
    )
    if incident.severity is Severity.INFO:  # no trouble that could end
        yield from paragraph(incident.message, view, indent=4)
        return
    how_it_ended = _HOW_IT_ENDED[incident.resolution or "run_ended"].format(incident.resolved_step or 0)
    yield from paragraph(how_it_ended + _returns(incident), view, indent=4)
    yield from paragraph(incident.message, view, indent=4)
    if math.isfinite(incident.worst_value):
        yield line(f"    worst {number(incident.worst_value)} at step {incident.worst_step:,}")
    yield from identity_lines(incident, view)
    for edge in incident.timeline[:_MOST_EDGES]:
        yield _edge(edge)
    if len(incident.timeline) > _MOST_EDGES:
        yield line(f"    ... and {plural(len(incident.timeline) - _MOST_EDGES, 'more change')}")
    yield from cause_lines(incident, view)
    if incident.settled_by:
        yield from paragraph(f"{incident.certainty}; what settles it: {incident.settled_by}", view, indent=4, hang=2)


def _returns(incident: Incident) -> str:
    if incident.fire_count == 1:
        return ""
    return f"; fired {incident.fire_count} times" + (", flapping" if incident.flapping else "")


def _edge(edge: Edge) -> Line:
    when = moment(edge.wall_time) or _NO_MOMENT
    return line(f"    step {edge.step:>9,} {when} {edge.edge:<9} {edge.code:<18} {number(edge.value)}")
