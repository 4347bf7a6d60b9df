"""Whether the loss that is read is the one that a Trainer trains, where its ``compute_loss`` is overridden.

Most overrides look at the outputs and return their loss as it is. What is read of the outputs is then what is trained,
and says more: the loss may be a sum over codebooks, and hold that of the text. It is the same tensor that tells, which
costs no look into it.

Another override trains a loss of its own, of which a hook on the model sees nothing: it reads that of the model, which
may be in the best of health. The Trainer logs the mean of what was trained since its last line. Of one and the same
loss that mean is the same multiple of the mean that was read, line after line: 1, the number of codebooks where the
model sums over them, or whatever the loss is multiplied by. Where it is not, what is logged is to be watched too.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import time
from typing import Any, NamedTuple

from torch import Tensor, is_grad_enabled
from torch.nn import Module

from audioloss_cli.model import Alert
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.naming import Role, classify
from audioloss_cli.training.losses.read import own_loss_of

_Pass = tuple[Any, int]  # the model's own loss, and how often it was changed in place by then
_NOTHING: Any = object()
_FACTOR = 3.0  # to either side of the first multiple; a penalty that is added, or a text loss, moves it by less
_KEPT = 10_000


class OwnLoss:
    """The passes through a model inside of ``compute_loss``, and which of them gave the loss that is returned.

    Attributes:
        passes: inside of ``compute_loss``, those so far; None outside. They end with it: they hold graphs.
        place: of the pass, counted from the last one, which is -1; None where another loss was returned.
        processes: by how much the Trainer multiplies the loss in place, see ``processes_of_a_sum``.
    """

    def __init__(self) -> None:
        self.passes: list[_Pass] | None = None
        self.place: int | None = None
        self.processes = 1
        self._calls = 0
        self._wrapper: Any = None
        self._handle: Any = None

    def step(self, trainer: Any, model: Any, step: Callable[[], Any]) -> Any:
        """A training step of the ``trainer`` with the ``model`` that it trains; what it gives. ``place`` is of it."""
        self.place, self._calls = None, 0
        own, compute_loss = vars(trainer).get("compute_loss", _NOTHING), trainer.compute_loss

        def noted(*args: Any, **kwargs: Any) -> Any:
            return self._noted(compute_loss, *args, **kwargs)

        trainer.compute_loss = noted
        try:
            return step()
        finally:
            if own is _NOTHING:
                del trainer.compute_loss
            else:
                trainer.compute_loss = own

    def see(self, outputs: Any) -> None:
        """A pass ends, inside of ``compute_loss``."""
        if self.passes is not None:
            self.passes.append(_pass_of(outputs))

    def wrap(self, model: Any) -> None:
        """What ``compute_loss`` is given may be wrapped around the model, and give other tensors (DDP does)."""
        if model is not self._wrapper and isinstance(model, Module):
            self.let_go()
            self._wrapper, self._handle = model, model.register_forward_hook(self._after_wrapper)

    def let_go(self) -> None:
        """Of what is wrapped around the model."""
        if self._handle is not None:
            self._handle.remove()
        self._wrapper = self._handle = None

    def _after_wrapper(self, module: Any, args: Any, outputs: Any) -> None:
        if self.passes and module.training and is_grad_enabled():
            self.passes[-1] = _pass_of(outputs)

    def _noted(self, compute_loss: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._calls += 1
        self.passes = []
        try:
            returned = compute_loss(*args, **kwargs)
            loss = returned[0] if isinstance(returned, tuple) else returned
            # Of several calls the losses are put together by the training step.
            self.place = self._place_of(loss, self.passes or ()) if self._calls == 1 else None
        finally:
            self.passes = None
        return returned

    def _place_of(self, loss: Any, passes: Sequence[_Pass]) -> int | None:
        each = range(-1, -len(passes) - 1, -1)
        return next((place for place in each if passes[place][0] is loss and self._is_kept(*passes[place])), None)

    def _is_kept(self, loss: Any, version: int) -> bool:
        """Whether nobody but the Trainer changed it in place, who does so once, by the number of processes."""
        if not isinstance(loss, Tensor) or loss._version == version:
            return isinstance(loss, Tensor)
        factor = getattr(loss.grad_fn, "_saved_other", None)
        if loss._version > version + 1 or not isinstance(factor, Tensor) or not factor.is_cpu or factor.numel() != 1:
            return False
        return bool(factor.item() == self.processes)


def _pass_of(outputs: Any) -> _Pass:
    loss = own_loss_of(outputs)
    return loss, loss._version if isinstance(loss, Tensor) else 0


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
