"""Every action that was taken: a recovery attempt of the monitor, and news for the sinks."""

from typing import Any

from audioloss_cli.training.losses.monitors import AUDIO, Monitors
from audioloss_cli.training.response.action_record import ActionRecord, kept, restored
from audioloss_cli.training.response.alert_context import AlertContext
from audioloss_cli.training.response.announce import Announcer


class ActionLog:
    """The actions in order.

    Attributes:
        taken: all of them.
    """

    def __init__(self, watch: Monitors, announcer: Announcer) -> None:
        self._watch, self._announcer = watch, announcer
        self.taken: list[ActionRecord] = []

    def note(self, name: str, case: AlertContext, outcome: str, *, done: bool) -> ActionRecord:
        """Enter an action; what the inputs asked for is an attempt to recover the audio loss.

        Args:
            name: of the action.
            case: for which it was taken.
            outcome: in words.
            done: whether it was carried out.
        """
        series = case.series if case.series in self._watch.monitors else AUDIO
        attempt = self._watch.monitors[series].record_recovery_attempt(case.step, f"{name}: {outcome}")
        alert = case.alert
        taken = ActionRecord(name, case.step, alert.code, alert.incident, series, done, outcome, attempt)
        self.taken.append(taken)
        if case.speaks:
            self._announcer.action(taken)
        return taken

    def state_dict(self) -> list[dict[str, Any]]:
        """Plain built-in types."""
        return kept(self.taken, self._watch.monitors)

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """After the monitors have loaded theirs."""
        self.taken = restored(states, self._watch.monitors)
