"""What the monitor says at the moment it says it: alerts and recovery attempts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from audioloss_cli.model.fields import FieldMapping


class Severity(StrEnum):
    """How bad; compare by ``rank``, because as strings "critical" sorts before "warning"."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return list(Severity).index(self)


AlertType = Literal["critical", "warning", "sustained_warning", "info", "recovered"]
ALERT_TYPES: tuple[AlertType, ...] = get_args(AlertType)
EdgeKind = Literal["fired", "escalated", "refired", "reminder", "recovered"]


def type_of(severity: Severity) -> AlertType:
    """The type of an alert of this severity, where its rule says nothing else."""
    return severity.value


@dataclass(frozen=True, slots=True)
class Alert(FieldMapping):
    """One edge of an incident, or a reminder that it still fires.

    Attributes:
        type: ``critical``, ``warning``, ``sustained_warning``, ``info`` or ``recovered``, whatever the rule: a loop
            that tells these apart sees every alert. ``code`` says which rule it is.
        severity: of the rule that speaks; ``info`` for ``recovered``.
        code: the rule's stable code, which is its file name in ``audioloss_cli/rules``.
        step: training step of the point that raised the alert.
        value: the loss at that point, as logged (nats for a cross entropy).
        message: one sentence for a log line.
        edge: what happened to the incident: fired, escalated, refired, reminder or recovered.
        incident: id of the incident the alert belongs to.
        wall_time: Unix seconds of the point; NaN when the log holds no time.
        advice: what to do about it, from the rule's documentation.
    """

    type: AlertType
    severity: Severity
    code: str
    step: int
    value: float
    message: str
    edge: EdgeKind
    incident: str
    wall_time: float
    advice: str = ""


@dataclass(slots=True)
class RecoveryAttempt(FieldMapping):
    """A corrective action, and whether the loss came back within a window after it.

    Attributes:
        step: training step at which the action was taken.
        action: what was done, in the caller's words.
        timestamp: Unix seconds.
        recovered: whether the loss is not bad any more; None while the window runs and it still is, and where it was
            not bad in the first place; final once the window is over.
        recovered_step: first step of the healthy stretch, or None.
    """

    step: int
    action: str
    timestamp: float
    recovered: bool | None = None
    recovered_step: int | None = None
