"""The alerts of an incident, in words, and what the incident keeps of them."""

from audioloss_cli.model import Alert, Edge, Incident, Point, Severity
from audioloss_cli.model.alert import AlertType, EdgeKind
from audioloss_cli.monitor.ruleset import CodedRule


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


def adopt(incident: Incident, speaker: CodedRule, message: str) -> None:
    """The incident takes over the words of the worst alert so far."""
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
