"""Numbers, moments and series in the words of the page; each is a filter of the templates."""

import math
from datetime import UTC, datetime

from audioloss_cli.model import Incident, SeriesReport, Severity, is_missing

_UNITS = {"sample": "samples", "token": "tokens", "epoch": "epochs", "point": "points"}
_HOW_IT_ENDED = {
    "recovered": "recovered at step {:,}",
    "run_ended": "unresolved: the run ended while it fired",
    "restarted": "unresolved: the training restarted while it fired",
}


def count(value: int) -> str:
    """``12,000``."""
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    """``1 point``, ``2 points``, ``1 series``, ``2 series``."""
    return f"{value:,} {noun}" + ("" if value == 1 or noun.endswith("s") else "s")


def number(value: float) -> str:
    """Four significant digits; ``missing`` for a null of the log."""
    if is_missing(value):
        return "missing"
    return "NaN" if math.isnan(value) else f"{value:.4g}"


def moment(seconds: float) -> str:
    """A wall time in UTC, empty where the log has none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""


def extent(item: SeriesReport) -> str:
    """How many points a series has, and from which step to which."""
    first, last = item.span
    text = f"{plural(item.points, 'point')}, {_UNITS.get(item.axis.unit, 'steps')} {first:,} to {last:,}"
    restarts = len(item.segment_starts) - 1
    text += f", {plural(restarts, 'restart')}" if restarts else ""
    return text + (", sorted: the log is out of order" if item.reordered else "")


def outcome(incident: Incident) -> str:
    """How long an incident was, how bad it got and how it ended, as a sentence."""
    clauses = [plural(incident.points, "point")]
    if math.isfinite(incident.worst_value):
        clauses.append(f"worst {number(incident.worst_value)} at step {incident.worst_step:,}")
    if incident.severity is not Severity.INFO:  # no trouble that could end
        clauses.append(_HOW_IT_ENDED[incident.resolution or "run_ended"].format(incident.resolved_step or 0))
    if incident.fire_count > 1:
        clauses.append(f"fired {incident.fire_count} times" + (", flapping" if incident.flapping else ""))
    return "; ".join(clauses)


def alternative(item: SeriesReport) -> str:
    """What a curve shows, for those who do not see it."""
    means = [part.mean for part in item.envelope.parts if part.finite]
    if item.extremes is None or not means:
        return f"{item.tag}: {extent(item)}; no value is finite"
    text = f"Curve of {item.tag}: {extent(item)}; begins at {number(means[0])}, ends at {number(means[-1])}, "
    text += f"lowest {number(item.extremes[0])}, highest {number(item.extremes[1])}"
    return text + (f"; {plural(len(item.incidents), 'incident')}" if item.incidents else "")


FILTERS = {each.__name__: each for each in (count, plural, number, moment, extent, outcome, alternative)}
