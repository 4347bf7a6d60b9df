"""The curve of a series as SVG paths whose coordinates are the data.

One unit to the right is one step, one unit down is one unit of the scale. So the page needs no second copy of the
numbers: its script reads the paths to say what stands under the pointer, and zooms by their view box.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

from audioloss_cli.model import Incident, SeriesReport
from audioloss_cli.model.envelope import Part
from audioloss_cli.outputs._scale import Scale, Tick, nice_steps
from audioloss_cli.outputs.html.series_view import SeriesView

_X_TICKS, _Y_TICKS = 5, 6


class Line(NamedTuple):
    """One segment: the path of the means, and the outline between the lowest and the highest values, empty if none."""

    segment: int
    mean: str
    band: str


class Band(NamedTuple):
    """Steps at which something is the matter: where it starts, how far it goes, and what it is."""

    x: int
    width: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """What the page draws of one series.

    Attributes:
        scale: its vertical axis.
        first: step at the left edge.
        span: steps from there to the right edge, at least 1.
        lines: one for each segment, in the order of the log.
        alerts: a band for each incident.
        gaps: a band for each stretch of parts in which some value is not finite.
        limits: the thresholds that lie on the axis, as ticks.
    """

    scale: Scale
    first: int
    span: int
    lines: list[Line]
    alerts: list[Band]
    gaps: list[Band]
    limits: list[Tick]

    def x_ticks(self) -> list[Tick]:
        """Return the steps that the horizontal axis names."""
        steps = nice_steps(self.first, self.first + self.span, _X_TICKS)
        whole = [round(step) for step in steps if float(step).is_integer()]
        return [Tick(f"{step:,}", round(100 * (step - self.first) / self.span, 2)) for step in whole]

    def y_ticks(self) -> list[Tick]:
        """Return the values that the vertical axis names."""
        return self.scale.ticks(_Y_TICKS)


def curve_of(series: SeriesView, parts: Sequence[Part], scale: Scale) -> Curve:
    """Return the curve of a series, of these parts of its envelope."""
    item, (first, last) = series.item, series.span
    segments = groupby(parts, key=lambda part: part.segment)
    return Curve(
        scale,
        first,
        max(last - first, 1),
        [_line(segment, list(each), first, scale) for segment, each in segments],
        [_alert(incident, first) for incident in sorted(item.incidents, key=lambda one: one.severity.rank)],
        list(_gaps(parts, first)),
        _limits(item, scale),
    )


def coarser(parts: Sequence[Part], most: int) -> list[Part]:
    """Return the same values in at most about ``most`` parts; neighbours of one segment become one."""
    together = -(-len(parts) // max(most, 1))
    if together <= 1:
        return list(parts)
    joined = list[Part]()
    for _, each in groupby(parts, key=lambda part: part.segment):
        segment = list(each)
        joined += [_joined(segment[at : at + together]) for at in range(0, len(segment), together)]
    return joined


def _joined(parts: Sequence[Part]) -> Part:
    known, finite = [part for part in parts if part.finite], sum(part.finite for part in parts)
    first, last = parts[0], parts[-1]
    mean = sum(part.mean * (part.finite / finite) for part in known) if finite else first.mean
    low, high = min((part.low for part in known), default=first.low), max((part.high for part in known), default=mean)
    points = sum(part.points for part in parts)
    return Part(first.segment, points, first.first_step, last.last_step, low, high, mean, finite)


def _line(segment: int, parts: Sequence[Part], first: int, scale: Scale) -> Line:
    means, bands = list[str](), list[str]()
    for has_values, each in groupby(parts, key=lambda part: bool(part.finite)):
        stretch = list(each)
        if not has_values:
            continue
        means.append(_path([(part.first_step - first, scale.place(part.mean)) for part in stretch]))
        if any(part.low < part.high for part in stretch):
            top = [(part.first_step - first, scale.place(part.high)) for part in stretch]
            bottom = [(part.first_step - first, scale.place(part.low)) for part in reversed(stretch)]
            bands.append(_path([*top, *bottom]) + "z")
    return Line(segment, "".join(means), "".join(bands))


def _path(points: Sequence[tuple[int, int]]) -> str:
    """A path of relative moves; a single point is a line of no length, which has round ends to be seen by."""
    (x, y), *rest = points
    moves = "".join(_moves([(x, y), *(rest or [(x, y)])]))
    return f"M{x} {y}l{moves.lstrip()}"


def _moves(points: Sequence[tuple[int, int]]) -> Iterator[str]:
    for (x, y), (next_x, next_y) in pairwise(points):
        yield f"{next_x - x: d}{next_y - y: d}"


def _alert(incident: Incident, first: int) -> Band:
    text = f"{incident.severity} {incident.code}, steps {incident.first_step:,} to {incident.last_step:,}"
    kind = str(incident.severity) if incident.standing == "found" else incident.standing
    return Band(incident.first_step - first, incident.last_step - incident.first_step, kind, text)


def _gaps(parts: Sequence[Part], first: int) -> Iterator[Band]:
    """One band for neighbours in one segment."""
    for (bad, _), each in groupby(parts, key=lambda part: (part.finite < part.points, part.segment)):
        if bad:
            stretch = list(each)
            points, finite = sum(part.points for part in stretch), sum(part.finite for part in stretch)
            start, end = stretch[0].first_step, stretch[-1].last_step
            text = f"{points - finite:,} of {points:,} values not finite, steps {start:,} to {end:,}"
            yield Band(start - first, end - start, "gap", text)


def _limits(item: SeriesReport, scale: Scale) -> list[Tick]:
    if item.kind not in ("ce", "open"):
        return []
    values = {"warning": item.limits.threshold, "critical": item.limits.critical_threshold}
    places = {name: scale.per_cent(value) for name, value in values.items() if value > 0 or not scale.log}
    return [Tick(name, round(place, 2)) for name, place in places.items() if 0 < place < 100]  # noqa: PLR2004
