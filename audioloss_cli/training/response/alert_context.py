"""What a corrective action is given: the alert, the batch, what the checks say of it, and the loop to act on.

What was done is kept in a record; each action is a recovery attempt of the monitor, which tells what came of it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from audioloss_cli.model import Alert, RecoveryAttempt
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.training.batches.evidence import Examination
from audioloss_cli.training.batches.recent import MicroBatch

logger = logging.getLogger("audioloss")


class ActionError(RuntimeError):
    """A corrective action could not be carried out; the message says why and what would help."""


class AudioLossError(RuntimeError):
    """The run was stopped by ``raise-error``; ``alert`` is the one that asked for it."""

    def __init__(self, alert: Alert) -> None:
        super().__init__(f"{alert.code} at step {alert.step}: {alert.message}")
        self.alert = alert


class Loop(Protocol):
    """What an action may do to a training loop; each framework's file has one.

    Attributes:
        model: a torch.nn.Module; None if unknown.
        skips: batches of which nothing is to be learnt yet.
    """

    model: Any
    skips: int

    @property
    def optimizers(self) -> Sequence[Any]:
        """Of torch."""
        ...

    @property
    def schedulers(self) -> Sequence[Any]:
        """Of torch."""
        ...

    def save(self, step: int) -> str:
        """Write a checkpoint; where, in words.

        Raises:
            ActionError: it cannot.
        """
        ...

    def restore(self, path: str) -> str:
        """Put weights and optimiser back to a checkpoint; what was restored, in words.

        Raises:
            ActionError: it cannot.
        """
        ...

    def skip(self, batches: int) -> None:
        """Learn nothing from the next batches."""
        ...

    def stop(self) -> None:
        """End the training after this step."""
        ...


@dataclass
class AlertContext:
    """One alert on its way through the actions.

    Attributes:
        alert: what was said; its step is that of the value, which may lie before ``step``.
        step: training step at which the actions are taken.
        diagnostics: of the monitor, at the alert.
        fed: micro-batches of the alert's step, or of the nearest that is at hand; empty if none was shown.
        loop: what can be acted on.
        directory: where files go.
        series: its name.
        ranks: whose batch or loss it is about, in words; empty for a single process.
        rank: of this process.
        speaks: whether this process tells of it: rank 0, and the one that it is about, which alone has the batch.
        examine: the full checks of these micro-batches.
        find_checkpoint: the last one that is healthy; None if none is known.
    """

    alert: Alert
    step: int
    diagnostics: Mapping[str, Any]
    fed: Sequence[MicroBatch]
    loop: Loop
    directory: Path
    series: str
    ranks: str
    rank: int
    speaks: bool
    examine: Callable[[Sequence[MicroBatch]], Examination] = field(repr=False)
    find_checkpoint: Callable[[], str | None] = field(repr=False)

    @cached_property
    def examination(self) -> Examination:
        """The full checks, run at the first action that asks."""
        return self.examine(self.fed)

    @property
    def about_the_batch(self) -> str:
        """Which one it is, if it is not that of the alert, which may be told of later."""
        step = self.fed[0].step if self.fed else None
        return "" if step is None or step == self.alert.step else f"the batch is that of step {step}"


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
