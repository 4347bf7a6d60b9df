"""One stretch of trouble in one series, from its first bad point to its end."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from audioloss_cli.model.alert import ALERT_TYPES, AlertType, EdgeKind, Severity, type_of
from audioloss_cli.model.fields import FieldMapping
from audioloss_cli.model.gate import Standing
from audioloss_cli.model.series import MISSING, is_missing

Resolution = Literal["recovered", "run_ended", "restarted"]
Certainty = Literal["certain", "likely", "open"]


@dataclass(slots=True)
class Edge(FieldMapping):
    """A point at which an incident changed: fired, escalated, refired or recovered.

    Attributes:
        step: training step.
        wall_time: Unix seconds, NaN when unknown.
        edge: what happened.
        type: alert type of that moment.
        value: the loss, as logged.
        code: of the rule that spoke; of the incident at a recovery.
    """

    step: int
    wall_time: float
    edge: EdgeKind
    type: AlertType
    value: float
    code: str = ""


@dataclass(slots=True)
class LikelyCause(FieldMapping):
    """A root cause of the catalogue that the log speaks for; only a probe of the checkpoint settles it.

    Attributes:
        cause: slug of the catalogue.
        rank: 1 is the most likely of its incident.
        evidence: clauses that speak for it, with their numbers; at least one.
        against: clauses that speak against it.
        confirm: code of the check of ``audioloss probe`` that would confirm it.
    """

    cause: str
    rank: int
    evidence: list[str]
    against: list[str]
    confirm: str


@dataclass(slots=True)
class Incident(FieldMapping):
    """A stretch in which one group of rules held: pending, then firing, then resolved.

    ``code``, ``type``, ``severity`` and ``message`` are those of the worst alert so far; the steps are the incident's
    own. All steps are training steps, all wall times Unix seconds (NaN when the log holds none).

    Attributes:
        id: unique in a report, the same at every scan of the same path.
        segment: 0, then one more at each restart of the series.
        first_step: first point at which a rule of the group held.
        fired_step: point at which the monitor first spoke; None while pending.
        last_step: last point at which a rule of the group held.
        resolved_step: first healthy point after ``last_step``; None while firing and for a run that ended firing.
        resolution: ``recovered``, ``run_ended`` (unresolved), ``restarted`` (unresolved when training restarted), or
            None while the incident is open.
        worst_value: the worst loss, as logged, and ``worst_step`` its step.
        points: number of points at which a rule of the group held.
        fire_count: times it fired; above 1 when it came back before a whole window had stayed healthy.
        flapping: it came back at least 3 times within 1000 steps or 20 points; from then on only reminders are sent.
        advice: what to do about it, from the rule's documentation.
        timeline: the edges, without reminders.
        certainty: how sure it is that something is wrong: ``certain``, ``likely``, or ``open`` where the log does not
            tell whether the loss is small by nature.
        settled_by: what would settle it.
        causes: what the log says about its cause, the most likely first; empty if nothing, or nobody has asked.
        fingerprint: 16 hex digits, the same in each scan of the same run, wherever it lies and however it has grown;
            empty in a live monitor.
        standing: ``found`` counts at the gate; ``known`` stands in the baseline, ``suppressed`` in the configuration.
        standing_reason: why: of what is suppressed the reason that the configuration gives, of what is found although
            it is known why it counts all the same.
    """

    id: str
    code: str
    type: AlertType
    severity: Severity
    group: str
    segment: int
    first_step: int
    last_step: int
    worst_value: float
    worst_step: int
    fired_step: int | None = None
    resolved_step: int | None = None
    resolution: Resolution | None = None
    points: int = 0
    fire_count: int = 0
    flapping: bool = False
    first_wall_time: float = float("nan")
    last_wall_time: float = float("nan")
    resolved_wall_time: float = float("nan")
    message: str = ""
    advice: str = ""
    timeline: list[Edge] = field(default_factory=list)
    certainty: Certainty = "likely"
    settled_by: str = ""
    causes: list[LikelyCause] = field(default_factory=list)
    fingerprint: str = ""
    standing: Standing = "found"
    standing_reason: str = ""

    @property
    def state(self) -> Literal["pending", "firing", "resolved"]:
        """Where the incident stands in its life."""
        if self.fired_step is None:
            return "pending"
        return "firing" if self.resolved_step is None else "resolved"

    @property
    def duration_steps(self) -> int:
        """Steps from the first bad point to the first healthy one, or to the last bad one while unresolved."""
        end = self.last_step if self.resolved_step is None else self.resolved_step
        return end - self.first_step

    def to_state(self) -> dict[str, Any]:
        """Plain built-in types only, so that a checkpoint that holds it loads with ``weights_only=True``.

        A missing value is None: its bit pattern would not survive JSON.
        """
        state = {**asdict(self), "severity": str(self.severity), "worst_value": _or_none(self.worst_value)}
        state["timeline"] = [{**asdict(edge), "value": _or_none(edge.value)} for edge in self.timeline]
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo ``to_state``; a type that was a rule's own, in older states, is that of the severity."""
        timeline = [Edge(**{**edge, "value": _or_missing(edge["value"])}) for edge in state["timeline"]]
        worst_value, severity = _or_missing(state["worst_value"]), Severity(state["severity"])
        causes = [LikelyCause(**cause) for cause in state.get("causes", ())]
        type_ = state["type"] if state["type"] in ALERT_TYPES else type_of(severity)
        known = {
            "type": type_,
            "severity": severity,
            "worst_value": worst_value,
            "timeline": timeline,
            "causes": causes,
        }
        return cls(**{**state, **known})


def _or_none(value: float) -> float | None:
    return None if is_missing(value) else value


def _or_missing(value: float | None) -> float:
    return MISSING if value is None else value
