"""When what tells whether it learns is measured and logged: at the steps after which the run logs."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from audioloss_cli.model import SettingError
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch
from audioloss_cli.training.losses.learning import Learning, label_share
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.response.announce import Announcer
from audioloss_cli.training.transport.scalar_layout import AUDIO_GRAD_NORM, LABEL_SHARE, Arrived


class LearningLog:
    """Measures before and after a step, and logs once the numbers of the step have arrived.

    Args:
        every: steps from one line to the next, where no framework says when the run logs; 0: never.
        scale: of the audio loss, see ``AudioLossMonitor``.
        examiner: knows the model and its family.
        announcer: sends the figures to the sinks.

    Attributes:
        learning: the figures since the last line.
        steps: after which the run logged, whose numbers have not arrived.

    Raises:
        SettingError: the number of steps makes no sense.
    """

    def __init__(self, every: int, scale: float, examiner: Examiner, announcer: Announcer) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 0:
            raise SettingError("log_every", f"must be a whole number of steps from 0 on, not {every!r}")
        self._every, self._examiner, self._announcer = every, examiner, announcer
        self.learning, self.steps = Learning(scale), deque[int]()
        self._figures: dict[str, float] = {}

    def begin(self) -> None:
        """A training begins, perhaps of another model."""
        self.learning.begin()
        self.steps.clear()
        self._figures = {}

    def is_due(self, step: int) -> bool:
        """Whether a line is due after a step of a loop whose own log nobody knows."""
        return bool(self._every) and not step % self._every

    def gradient_norm(self) -> Any:
        """That of the audio parameters, 0-d where it lies; None if there is none."""
        examiner = self._examiner
        return _tried(lambda: self.learning.gradient_norm(examiner.model, examiner.layout))

    def measure_before_step(self, optimizers: Iterable[Any], measure: Callable[[], None]) -> None:
        """Have the gradients measured before the next step: a plain loop may throw them away before it says so."""
        for each in optimizers:
            inner = getattr(each, "optimizer", each)  # Accelerate wraps it
            if hasattr(inner, "register_step_pre_hook"):
                _once(inner, measure)
            return

    def measure(self, step: int, values: dict[str, Any], batches: list[MicroBatch]) -> None:
        """After a step after which the run logs: what was not measured before goes among the numbers of the step."""
        self.steps.append(step)
        layout = self._examiner.layout
        if AUDIO_GRAD_NORM not in values and not _is_nothing(norm := self.gradient_norm()):
            values[AUDIO_GRAD_NORM] = norm
        if (share := _tried(lambda: label_share(batches, layout))) is not None:
            values[LABEL_SHARE] = share

    def arrived(self, arrived: Arrived, *, speaks: bool) -> None:
        """The numbers of a step are there; ``speaks``: whether this rank writes the line."""
        self.learning.take_in(arrived.values)
        if not self.steps or arrived.step < self.steps[0]:
            return
        while self.steps and self.steps[0] <= arrived.step:
            self.steps.popleft()
        loss = self.learning.mean
        self._figures = found = self.learning.figures(arrived.values, self._examiner.layout)
        if found and speaks:
            self._announcer.figures(arrived.step, found, loss)

    def new(self) -> dict[str, float]:
        """The figures that were not given yet."""
        figures, self._figures = self._figures, {}
        return figures


def _once(optimizer: Any, measure: Callable[[], None]) -> None:
    def hook(*_: Any) -> None:
        handle.remove()
        measure()

    handle = optimizer.register_step_pre_hook(hook)


def _tried(measure: Callable[[], Any]) -> Any:
    try:
        return measure()
    except Exception as error:  # noqa: BLE001  # a model or a batch that nobody foresaw must not end a training
        logger.debug("not measured: %s: %s", type(error).__name__, error)
        return None


def _is_nothing(norm: Any) -> bool:
    """Or a norm of 0, as far as that can be told without a wait: of gradients that the loop has set to 0."""
    return norm is None or (norm.is_cpu and not norm.item())
