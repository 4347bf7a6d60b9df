"""From an alert to the actions that the policy asks for, what was taken of them, and where alerts are announced."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audioloss_cli.model import Alert
from audioloss_cli.training import policy as policies
from audioloss_cli.training.batches.evidence import Examination
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch
from audioloss_cli.training.losses.monitors import AUDIO, Monitors
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.alert_context import (
    ActionError,
    ActionRecord,
    AlertContext,
    AudioLossError,
    Loop,
    kept,
    logger,
    restored,
)
from audioloss_cli.training.response.announce import Announcer
from audioloss_cli.training.response.restore import Checkpoints
from audioloss_cli.training.transport.ranks import NOBODY, Ranks, Whose


class Responder:
    """Handles alerts one by one.

    Attributes:
        ledger: what was done.
        case: the one that is being handled; None between alerts.
        changed: what was done to the loop at the step of now, by action: it is done once, for all alerts of the step.
        instead: called with the batch and the alert in place of ``act``, if it is set.
    """

    def __init__(
        self,
        policy: Policy,
        watch: Monitors,
        examiner: Examiner,
        announcer: Announcer,
        checkpoints: Checkpoints,
        loop: Loop,
        directory: Path,
    ) -> None:
        self.policy, self.loop, self.directory = policy, loop, directory
        self._watch, self._examiner = watch, examiner
        self._announcer, self._checkpoints = announcer, checkpoints
        self.ledger = ActionLog(watch, announcer)
        self.case: AlertContext | None = None
        self.changed: dict[str, ActionRecord] = {}
        self.instead: Callable[[Mapping[str, Any], Alert], Any] | None = None
        self.ranks: Ranks | None = None
        self._examination: tuple[tuple[int, int], Examination] | None = None

    def handle(
        self,
        alerts: Sequence[tuple[str, Alert]],
        step: int,
        fed: Callable[[int], list[MicroBatch]],
        whose: Whose = NOBODY,
    ) -> None:
        """Announce each alert and act on it.

        Args:
            alerts: each with the name of its series.
            step: the training step of now.
            fed: step -> its micro-batches.
            whose: ranks that the alerts of this call are about.

        Raises:
            AudioLossError: an action asks for it; after all others were taken.
        """
        stopped: AudioLossError | None = None
        outer = self.case  # an action may wait for what is queued, as a checkpoint does, and come here again
        for series, alert in alerts:
            self.case = self._case(series, alert, step, fed(alert.step), whose)
            if self.case.speaks:
                self._announcer.alert(series, alert, self.case.ranks)
            try:
                self._respond(self.case)
            except AudioLossError as error:
                stopped = stopped or error
            finally:
                self.case = outer
        if stopped is not None:
            raise stopped

    def act(self, alert: Alert, batch: Mapping[str, Any] | None = None) -> list[ActionRecord]:
        """Take the actions that the policy asks for; what was done.

        Args:
            alert: the one that is being handled, or one of the caller's own.
            batch: what an alert of the caller's own is about.

        Raises:
            AudioLossError: an action asks for it; after all others were taken.
        """
        taken, stopped = list[ActionRecord](), None
        case = self.case or self._case(AUDIO, alert, alert.step, [] if batch is None else [MicroBatch(batch)], NOBODY)
        for name in self.policy.actions(alert):
            action = policies.load(name)
            if not (action.EVERY_RANK or case.speaks):
                continue
            try:
                taken.append(self._take(name, action, case))
            except AudioLossError as error:
                taken.append(self._note(name, case, str(error), done=True))
                stopped = error
        if stopped is not None:
            raise stopped
        return taken

    def _respond(self, case: AlertContext) -> None:
        if self.instead is None or not self.policy.actions(case.alert):
            self.act(case.alert)
        else:
            self.instead(case.fed[-1].clean if case.fed else {}, case.alert)

    def _case(self, series: str, alert: Alert, step: int, fed: list[MicroBatch], whose: Whose) -> AlertContext:
        monitors = self._watch.monitors
        monitor = monitors.get(series, monitors[AUDIO])
        before = self._watch.before
        incidents = [
            (before(name, incident.first_step), incident)
            for name, each in monitors.items()
            for incident in each.incidents
        ]
        rank = self.ranks.rank if self.ranks else 0
        return AlertContext(
            alert=alert,
            step=step,
            diagnostics=monitor.diagnostics(),
            fed=fed,
            loop=self.loop,
            directory=self.directory,
            series=series,
            ranks=whose.words,
            rank=rank,
            speaks=rank == 0 or rank in whose.ranks,
            examine=lambda batches: self._examined(batches, alert),
            find_checkpoint=lambda: self._checkpoints.last_healthy(incidents),
        )

    def _examined(self, fed: Sequence[MicroBatch], alert: Alert) -> Examination:
        """Once for all alerts of a step: they are about the same batch."""
        key = (alert.step, id(fed[0].clean) if fed else 0)
        if self._examination is None or self._examination[0] != key:
            self._examination = (key, self._examiner.full(fed, alert.step, alert.value))
        return self._examination[1]

    def _take(self, name: str, action: policies.Action, case: AlertContext) -> ActionRecord:
        """A fault has alerts in many series, of each codebook for one: the loop is changed once for all of them."""
        once = action.EVERY_RANK and case is self.case
        before = self.changed.get(name) if once else None
        if before is not None and before.step == case.step:
            return self._note(name, case, f"once at this step: {before.outcome}", done=before.done)
        taken = self._done(name, action, case)
        if once:
            self.changed[name] = taken
        return taken

    def _done(self, name: str, action: policies.Action, case: AlertContext) -> ActionRecord:
        try:
            outcome, done = action.act(case, **self.policy.options_of(name)), True
        except AudioLossError:
            raise
        except Exception as error:  # noqa: BLE001  # a full disk must not end a training that may be saved
            outcome, done = str(error) if isinstance(error, ActionError) else f"{type(error).__name__}: {error}", False
            logger.error("%s failed at step %d: %s", name, case.step, outcome)  # one line
        return self._note(name, case, outcome, done=done)

    def _note(self, name: str, case: AlertContext, outcome: str, *, done: bool) -> ActionRecord:
        return self.ledger.note(name, case, outcome, done=done)


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
