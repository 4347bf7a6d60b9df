"""What happened in a test: the edges of all incidents, as alerts that an expectation can be held against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from audioloss_cli import registry
from audioloss_cli.model import Edge, Incident, LossRule, SeriesReport, Severity
from audioloss_cli.model.alert import EdgeKind


@dataclass(frozen=True, slots=True)
class Happened:
    """One alert that the monitor raised, reminders aside.

    Attributes:
        step: training step.
        edge: fired, escalated, refired or recovered.
        code: of the rule that spoke.
        type: alert type.
        severity: of the rule; info for a recovery.
        tag: of the series.
        value: the loss, as logged.
    """

    step: int
    edge: EdgeKind
    code: str
    type: str
    severity: Severity
    tag: str
    value: float


def alerts_of(series: Sequence[SeriesReport]) -> list[Happened]:
    """Every alert of every series, by step."""
    found = [_happened(item, edge) for item in series for incident in item.incidents for edge in incident.timeline]
    return sorted(found, key=lambda alert: alert.step)


def firing_at(step: int, series: Sequence[SeriesReport], tag: str | None) -> list[Happened]:
    """The alerts that fire once the points up to a step have been seen: of each incident, the last one that spoke."""
    return [
        _happened(item, edge)
        for item in series
        if tag in (None, item.tag)
        for incident in item.incidents
        for edge in _last(incident, step)
        if edge.edge != "recovered"
    ]


def _last(incident: Incident, step: int) -> Iterator[Edge]:
    yield from [edge for edge in incident.timeline if edge.step <= step][-1:]


def _happened(item: SeriesReport, edge: Edge) -> Happened:
    severity = Severity.INFO if edge.edge == "recovered" else rules()[edge.code].severity
    return Happened(edge.step, edge.edge, edge.code, edge.type, severity, item.tag, edge.value)


@cache
def rules() -> dict[str, type[LossRule]]:
    """Every loss rule by its code."""
    return {registry.code_of(name): registry.load("rules", name).Rule for name in registry.names("rules")}
