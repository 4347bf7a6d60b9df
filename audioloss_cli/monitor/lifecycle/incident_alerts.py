"""The alerts of an incident, in words, and what the incident keeps of them."""

from audioloss_cli.model import Alert, Edge, Incident, Point, Severity
from audioloss_cli.model.alert import AlertType, EdgeKind
from audioloss_cli.model.rule import Kind
from audioloss_cli.monitor.ruleset import CodedRule

OPEN_SETTLED_BY = "a held-out loss, a score such as WER or accuracy, config.json beside the log, or --kind ce or small"


def edge_alert(incident: Incident, point: Point, speaker: CodedRule, edge: EdgeKind, message: str) -> Alert:
    """An alert that is also an edge of the incident."""
    _mark(incident, point, edge, speaker.rule.type, speaker.code)
    if edge == "refired" and incident.flapping:
        message += f"; it comes and goes (fired {incident.fire_count} times), only reminders follow"
    return _alert(incident, point, speaker, edge, message)


def reminder(incident: Incident, point: Point, speaker: CodedRule, message: str) -> Alert:
    """A repetition in the words of the rule that holds now; it leaves no mark on the incident."""
    return _alert(incident, point, speaker, "reminder", f"still firing since step {incident.first_step}: {message}")


def recovered(incident: Incident, point: Point) -> Alert:
    """The loss came back; ``resolved_step`` is set."""
    message = (
        f"recovered at step {incident.resolved_step} after {incident.duration_steps} steps "
        f"(worst {incident.worst_value:.4g} at step {incident.worst_step}), now {point.value:.4g}"
    )
    _mark(incident, point, "recovered", "recovered", incident.code)
    return Alert(
        type="recovered",
        severity=Severity.INFO,
        code=incident.code,
        step=point.step,
        value=point.value,
        message=message,
        edge="recovered",
        incident=incident.id,
        wall_time=point.wall_time,
    )


def adopt(incident: Incident, speaker: CodedRule, message: str, kind: Kind) -> None:
    """The incident takes over the words of the worst alert so far, and how sure it is of a series of this kind."""
    is_open = kind == "open" and speaker.rule.group == "low-loss" and speaker.rule.severity is not Severity.CRITICAL
    incident.certainty = "open" if is_open else speaker.rule.certainty
    incident.settled_by = OPEN_SETTLED_BY if is_open else speaker.rule.settled_by
    incident.code, incident.type, incident.severity = speaker.code, speaker.rule.type, speaker.rule.severity
    incident.message, incident.advice = message, speaker.advice


def _alert(incident: Incident, point: Point, speaker: CodedRule, edge: EdgeKind, message: str) -> Alert:
    return Alert(
        type=speaker.rule.type,
        severity=speaker.rule.severity,
        code=speaker.code,
        step=point.step,
        value=point.value,
        message=message,
        edge=edge,
        incident=incident.id,
        wall_time=point.wall_time,
        advice=speaker.advice,
    )


def _mark(incident: Incident, point: Point, edge: EdgeKind, kind: AlertType, code: str) -> None:
    incident.timeline.append(Edge(point.step, point.wall_time, edge, kind, point.value, code))
