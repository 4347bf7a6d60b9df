"""What was done about an alert, and what came of it: each action is a recovery attempt of the monitor."""

from dataclasses import dataclass
from typing import Any

from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.records import RecoveryAttempt


@dataclass(slots=True)
class Taken:
    """One action.

    Attributes:
        action: its name.
        step: training step at which it was taken.
        alert: code of the alert.
        incident: id of the incident.
        series: name of the series.
        done: whether it was carried out.
        outcome: what was done, or why it was not.
        attempt: the recovery attempt; its ``recovered`` is filled in by the monitor as points arrive.
    """

    action: str
    step: int
    alert: str
    incident: str
    series: str
    done: bool
    outcome: str
    attempt: RecoveryAttempt

    @property
    def recovered(self) -> bool | None:
        """Whether the loss came back within a window; None while that is open."""
        return self.attempt.recovered

    def to_state(self) -> dict[str, Any]:
        """Plain built-in types, without the attempt: the monitor keeps that."""
        names = ("action", "step", "alert", "incident", "series", "done", "outcome")
        return {name: getattr(self, name) for name in names}


def restored(states: list[dict[str, Any]], monitors: dict[str, AudioLossMonitor]) -> list[Taken]:
    """Undo ``to_state``; the attempts are those of the monitors, in the order in which they were recorded."""
    attempts = {name: iter(monitor.recovery_attempts) for name, monitor in monitors.items()}
    return [Taken(**state, attempt=next(attempts[state["series"]])) for state in states]
