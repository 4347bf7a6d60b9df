"""What was done about an alert, and what came of it: each action is a recovery attempt of the monitor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audioloss_cli.model import RecoveryAttempt
from audioloss_cli.monitor import AudioLossMonitor


@dataclass(slots=True)
class ActionRecord:
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


def kept(taken: list[ActionRecord], monitors: Mapping[str, AudioLossMonitor]) -> list[dict[str, Any]]:
    """The state of each, with the index of its attempt: a monitor has others too, those that its user recorded."""
    attempts = (enumerate(monitor.recovery_attempts) for monitor in monitors.values())
    index = {id(attempt): number for each in attempts for number, attempt in each}
    return [{**each.to_state(), "attempt": index.get(id(each.attempt))} for each in taken]


def restored(states: list[dict[str, Any]], monitors: Mapping[str, AudioLossMonitor]) -> list[ActionRecord]:
    """Undo ``kept``; a state without an index, as there were before, has the next attempt of its monitor."""
    attempts = {name: monitor.recovery_attempts for name, monitor in monitors.items()}
    in_order = {name: iter(each) for name, each in attempts.items()}
    taken = []
    for state in states:
        series, index = state["series"], state.get("attempt")
        attempt = next(in_order[series]) if index is None else attempts[series][index]
        taken.append(ActionRecord(**{**state, "attempt": attempt}))
    return taken
