"""Each run: its series, their sparklines and the timelines of their incidents."""

import math
from collections.abc import Callable, Iterable, Iterator

from audioloss_cli.model import Edge, Incident, RunReport, SeriesReport, Severity, View
from audioloss_cli.outputs.text.causes import cause_lines
from audioloss_cli.outputs.text.layout import STYLES, Line, line, moment, number, paragraph, plural
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


class Runs:
    """Runs with incidents first and in full, then clean ones in a line each, then those without a loss, counted.

    Args:
        view: how they are to be shown.
        text: makes text of lines; a run that was added is kept as such.
    """

    def __init__(self, view: View, text: Callable[[Iterable[Line]], str]) -> None:
        self._view, self._text = view, text
        self._troubled, self._clean, self._silent = list[str](), list[str](), list[str]()
        self._more_clean = self._more_silent = 0

    def add(self, run: RunReport) -> None:
        """Keep what is to be said of a run."""
        in_full = self._view.verbosity > 0
        if run.findings or any(item.incidents for item in run.series):
            self._troubled.append(self._text(_run(run, self._view)))
        elif not run.series:
            self._more_silent += 1
            if in_full:
                self._silent.append(self._text(_silent(run, self._view)))
        elif in_full or len(self._clean) < _MOST_CLEAN_RUNS:
            self._clean.append(self._text(_run(run, self._view)))
        else:
            self._more_clean += 1

    def texts(self) -> Iterator[str]:
        """Yield what was kept."""
        yield from self._troubled
        yield from self._clean
        if self._more_clean:
            yield self._text([line(), line(f"... and {plural(self._more_clean, 'more clean run')}; -v lists them")])
        if self._silent:
            yield self._text([line()])
            yield from self._silent
        elif self._more_silent:
            yield self._text([line(), line(f"{plural(self._more_silent, 'run')} not audited; -v says why")])


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


def _silent(run: RunReport, view: View) -> Iterator[Line]:
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
