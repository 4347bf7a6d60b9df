"""Which of the numbers that a run logs is its audio loss, and whether it is the one that is read at each step.

If it is another one, it is to be watched too.

The ``compute_loss`` of a Trainer may train a loss of its own, of which a hook on the model sees nothing: it reads that
of the model, which may be in the best of health. The Trainer logs the mean of what was trained since its last line. Of
one and the same loss that mean is the same multiple of the mean that was read, line after line: 1, the number of
codebooks where the model sums over them, or whatever the loss is multiplied by.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Any, NamedTuple

from audioloss_cli.model import Alert
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.naming import Role, classify

_FACTOR = 3.0  # to either side of the first multiple; a penalty that is added, or a text loss, moves it by less
_KEPT = 10_000


class Line(NamedTuple):
    """What was logged of the loss that is trained.

    Attributes:
        step: after which it was logged.
        value: mean over the steps since the line before.
        wall_time: Unix seconds; NaN if it is not known.
        beside: what stands in the same line, by name.
    """

    step: int
    value: float
    wall_time: float
    beside: Mapping[str, Any]


class LoggedApart:
    """Compares line by line.

    Attributes:
        other: whether it is another loss. That is for good.
        since: step of the line before, or that at which the training began.
    """

    def __init__(self) -> None:
        self.other, self.since = False, 0
        self._multiples: dict[str, float] = {}  # by what it is a multiple of
        self._lines: deque[Line] = deque(maxlen=_KEPT)

    def begin(self, step: int, lines: Iterable[Line] = ()) -> None:
        """A training begins, or goes on after this step with what it has logged so far."""
        if not step:
            self.other, self._multiples = False, {}
        self.since = step
        self._lines = deque(() if self.other else lines, _KEPT)

    def is_other(self, line: Line, audio: Sequence[float], totals: Sequence[float]) -> bool:
        """Take in a line; whether it is of another loss than what was read.

        Args:
            line: the next one.
            audio: losses that were read at the steps since the line before; not all of them need have one.
            totals: of outputs that hold more than the audio loss; these are what a Trainer trains.
        """
        steps, self.since = line.step - self.since, line.step
        if not self.other:
            name, read = ("total", totals) if totals else ("audio", audio)
            self.other = steps > 0 and bool(read) and self._differs(line.value, steps, name, read)
        if not self.other:
            self._lines.append(line)
        return self.other

    def _differs(self, value: float, steps: int, name: str, read: Sequence[float]) -> bool:
        least = sum(read) / steps  # of their mean: no loss that was not read is below 0
        if not 0 < least < math.inf:  # it has alerts of its own, and the Trainer logs no NaN
            return False
        if not 0 < value < math.inf:
            return True
        multiple, whole = value / least, len(read) == steps
        first = self._multiples.get(name)
        if first is None:
            if whole:
                self._multiples[name] = multiple
            return False
        return multiple < first / _FACTOR or (whole and multiple > first * _FACTOR)

    def replay(self, monitor: AudioLossMonitor) -> tuple[list[Alert], list[int]]:
        """Show a monitor what was logged while it looked like the loss that is read.

        Returns:
            The alerts whose incidents are still open: what is over was seen in the loss that is read; and the steps.
        """
        lines, self._lines = list(self._lines), deque(maxlen=_KEPT)
        alerts = [
            alert for line in lines for alert in monitor.update(line.value, line.step, line.wall_time, line.beside)
        ]
        still = {incident.id for incident in monitor.incidents if incident.resolution is None}
        return [alert for alert in alerts if alert.incident in still], [line.step for line in lines]

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types; the lines are in the log."""
        return {"other": self.other, "multiples": dict(self._multiples)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.other, self._multiples = bool(state["other"]), dict(state["multiples"])


def lines_of(history: Iterable[Mapping[str, Any]], until: int) -> list[Line]:
    """What a Trainer's ``log_history`` holds of its training, up to a step."""
    found = [line_of(logs, logs["step"], math.nan) for logs in history if "step" in logs]
    return [line for line in found if line is not None and line.step <= until]


def line_of(logs: Mapping[str, Any], step: int, wall_time: float | None = None) -> Line | None:
    """What a Trainer logs of its training, which has a learning rate beside it; None for any other line."""
    numbers = {name: logs.get(name) for name in ("loss", "learning_rate", "grad_norm", "epoch")}
    value = numbers["loss"]
    if not isinstance(value, (int, float)) or numbers["learning_rate"] is None:
        return None
    beside = {name: numbers[name] for name in ("grad_norm", "epoch") if isinstance(numbers[name], (int, float))}
    return Line(step, float(value), time() if wall_time is None else wall_time, beside)


def audio_name(names: Iterable[str]) -> str:
    """Return the first name of an audio loss that is not of held-out data, of all codebooks rather than of one."""
    found = [tag for name in names if (tag := classify(name)).role is Role.AUDIO and not tag.held_out]
    whole = [tag for tag in found if tag.codebook is None]
    return next((tag.name for tag in (*whole, *found)), "")
