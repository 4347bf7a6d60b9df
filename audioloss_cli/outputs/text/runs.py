"""Each run: its series, their sparklines and the timelines of their incidents."""

import math
from collections.abc import Iterator

from audioloss_cli.model import Edge, Incident, Report, RunReport, SeriesReport, Severity, View
from audioloss_cli.outputs.text.causes import cause_lines
from audioloss_cli.outputs.text.layout import STYLES, Line, line, moment, number, paragraph, plural
from audioloss_cli.outputs.text.learning import learning_lines
from audioloss_cli.outputs.text.sparkline import alert_row, sparkline

_MOST_CLEAN_RUNS = 20
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
_UNITS = {"sample": "samples", "token": "tokens", "epoch": "epochs", "point": "points"}


def run_lines(report: Report, view: View) -> Iterator[Line]:
    """Runs with incidents first and in full, then clean ones in a line each, then those without a loss, counted."""
    troubled = [run for run in report.runs if run.findings or any(item.incidents for item in run.series)]
    clean = [run for run in report.runs if run.series and run not in troubled]
    shown = clean if view.verbosity > 0 else clean[:_MOST_CLEAN_RUNS]
    for run in (*troubled, *shown):
        yield from _run(run, view)
    if len(clean) > len(shown):
        yield line()
        yield line(f"... and {plural(len(clean) - len(shown), 'more clean run')}; -v lists them")
    yield from _silent([run for run in report.runs if not run.series], view)


def _run(run: RunReport, view: View) -> Iterator[Line]:
    yield line()
    yield line((run.run, "bold"), f"  [{run.format}]")
    if run.note:
        yield from paragraph(f"note: {run.note}", view, indent=2)
    if run.not_audited:
        shown = run.not_audited if view.verbosity > 0 else run.not_audited[:_MOST_TAGS]
        more = f", and {len(run.not_audited) - len(shown)} more" if len(run.not_audited) > len(shown) else ""
        yield from paragraph(f"not audited: {', '.join(shown)}{more}", view, indent=2, hang=2)
    if view.verbosity > 0:
        for detail in run.details:
            yield from paragraph(f"read: {detail}", view, indent=2, hang=2)
    for finding in run.findings:
        yield line("  ", (str(finding.severity).upper(), STYLES[finding.severity]), f" {finding.code}")
        yield from paragraph(finding.message, view, indent=4)
    for item in run.series:
        if item.incidents or view.verbosity > 0:
            yield from _series(item, view)
        else:
            yield from paragraph(f"{item.tag}: no incidents in {_extent(item)}", view, indent=2, hang=2)
            yield from _axis(item, view)
            yield from _left_alone(item, view)
    yield from learning_lines(run, view)


def _silent(runs: list[RunReport], view: View) -> Iterator[Line]:
    if not runs:
        return
    yield line()
    if view.verbosity <= 0:
        yield line(f"{plural(len(runs), 'run')} not audited; -v says why")
        return
    for run in runs:
        tags = f" ({', '.join(run.tags[:_MOST_TAGS])})" if run.tags else ""
        yield from paragraph(f"{run.run} [{run.format}]: {run.note}{tags}", view, indent=0, hang=2)


def _series(item: SeriesReport, view: View) -> Iterator[Line]:
    yield line("  ", (item.tag, "bold cyan"))
    yield from paragraph(_extent(item), view, indent=4)
    yield from _axis(item, view)
    yield from _left_alone(item, view)
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


def _left_alone(item: SeriesReport, view: View) -> Iterator[Line]:
    """Why fixed thresholds were not applied to a series that goes below one, or to any with -v."""
    if item.kind == "open" and view.verbosity > 0:
        yield from paragraph(f"taken for {_KINDS[item.kind]}: fixed thresholds are warnings", view, indent=4, hang=2)
    elif item.kind not in ("ce", "open") and (view.verbosity > 0 or _goes_below(item)):
        text = f"taken for {_KINDS[item.kind]}, to which the fixed thresholds do not apply: {item.kind_reason}"
        yield from paragraph(f"{text} (--kind ce applies them)", view, indent=4, hang=2)


def _axis(item: SeriesReport, view: View) -> Iterator[Line]:
    """What the steps count, where that is not plain; of points that were counted only with -v."""
    if item.axis.reason and (view.verbosity > 0 or item.axis.unit != "point"):
        yield from paragraph(f"axis: {item.axis.reason}", view, indent=4, hang=2)


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
    if item.step_source in ("line", "ordinal"):
        text += " (counted: the log has no steps)"
    restarts = len(item.segment_starts) - 1
    text += f", {plural(restarts, 'restart')}" if restarts else ""
    return text + (", sorted: the log is out of order" if item.reordered else "") + _sources(item)


def _incident(incident: Incident, view: View) -> Iterator[Line]:
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
    when = moment(edge.wall_time)
    return line(f"    step {edge.step:>9,} {when} {edge.edge:<9} {edge.code:<18} {number(edge.value)}")
