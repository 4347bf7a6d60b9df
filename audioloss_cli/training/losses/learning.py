"""Is it learning? Nats below chance, the share of labels that count, and the gradient norm of the audio part.

They are measured and logged at the steps after which the run logs, and never waited for: on a device they are numbers
like the losses, which arrive some steps later.
"""

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import SettingError
from audioloss_cli.probe.model_io.batch import as_tensor
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.batches.evidence import with_labels
from audioloss_cli.training.batches.examine import Examiner
from audioloss_cli.training.batches.recent import MicroBatch
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.response.announce import Announcer
from audioloss_cli.training.response.restore import is_sharded
from audioloss_cli.training.transport.scalar_layout import AUDIO_GRAD_NORM, CODEBOOKS, LABEL_SHARE, MEASURED

#: Names under which the figures are logged; ``naming/roles.py`` knows them, so that no scan takes them for losses.
NATS, LABELS, GRADIENTS = "learning/nats_below_chance", "learning/label_share", "learning/audio_grad_norm"
_AS_LOGGED = ((LABEL_SHARE, LABELS), (AUDIO_GRAD_NORM, GRADIENTS))
_NAMED, _MEASURED = CODEBOOKS[0], MEASURED[0]


class Learning:
    """Figures of the steps since the last time they were asked for.

    Args:
        scale: of the audio loss, see ``AudioLossMonitor``: what is logged is divided by it.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self.begin()

    def begin(self) -> None:
        """A training begins, perhaps of another model."""
        self._model: Any = None
        self._parameters: list[Tensor] = []
        self._clear()

    def _clear(self) -> None:
        self._sum, self._count = 0.0, 0
        self._books: Mapping[str, float] = {}

    def take_in(self, values: Mapping[str, float]) -> None:
        """The numbers of one step, kept as they are: this is done at every step."""
        audio = values.get("audio")
        if audio is not None:
            self._sum += audio
            self._count += 1
        if _NAMED in values or _MEASURED in values:
            self._books = values

    @property
    def mean(self) -> float | None:
        """Of the audio loss, as it was read; None if there was none."""
        return self._sum / self._count if self._count else None

    def figures(self, values: Mapping[str, float], layout: Layout | None) -> dict[str, float]:
        """Return what is known since the last call, by the name under which it is logged; finite numbers alone.

        The nats of the audio loss are those of its mean over these steps, the nats of the codebooks those of the last
        step that had them.

        Args:
            values: of the step after which the run logs.
            layout: of the model's family, which knows how many codes there are.
        """
        found = dict[str, float]()
        if layout is not None and layout.vocab_size > 1:
            chance, mean = math.log(layout.vocab_size), self.mean
            if mean is not None:
                found[NATS] = chance - mean / self._scale
            names = CODEBOOKS if _NAMED in self._books else MEASURED  # what the outputs name is surer
            for number, name in enumerate(names):
                if name in self._books:
                    found[f"{NATS}/codebook_{number}"] = chance - self._books[name] / self._scale
        found |= {shown: values[name] for name, shown in _AS_LOGGED if name in values}
        self._clear()
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def gradient_norm(self, model: Any, layout: Layout | None) -> Tensor | None:
        """Return the norm of the gradients of the audio parameters, 0-d where they lie; None if there are none.

        Where the model is sharded over the ranks, none of them has whole gradients.
        """
        if layout is None or not layout.parameters or not hasattr(model, "named_parameters"):
            return None
        if model is not self._model:
            self._model, self._parameters = model, _audio_parameters(model, layout)
        gradients = [each.grad for each in self._parameters if each.grad is not None]
        norms = [torch.linalg.vector_norm(each) for each in gradients if each.layout is torch.strided]
        if not norms:
            return None
        found: Tensor = torch.linalg.vector_norm(_together(norms))
        return found


def _together(scalars: Sequence[Tensor]) -> Tensor:
    """In one tensor [N] in float32; on a device if any of them lies on one, so that the host waits for none."""
    device = next((each.device for each in scalars if not each.is_cpu), None)
    near = [each if device in (None, each.device) else each.to(device, non_blocking=True) for each in scalars]
    return torch.stack([each.float() for each in near])


def _audio_parameters(model: Any, layout: Layout) -> list[Tensor]:
    if is_sharded(model):
        return []
    pattern = re.compile("|".join(f"(?:{each})" for each in layout.parameters.values()))
    return [each for name, each in model.named_parameters() if each.requires_grad and pattern.search(name)]


def label_share(batches: Sequence[MicroBatch], layout: Layout | None) -> Tensor | None:
    """Return the share of the audio labels of a step that count, 0-d where they lie; None if there are none."""
    field = None if layout is None else layout.named("audio-labels")
    if layout is None or field is None:
        return None
    found = list[Tensor]()
    for fed in batches:
        labels = as_tensor(with_labels(fed, layout).get(field.name)) if isinstance(fed.clean, Mapping) else None
        if isinstance(labels, Tensor) and labels.numel() and not labels.is_floating_point():
            found.append(((labels != layout.ignore_index) & (labels >= 0)).float().mean())
    return _together(found).mean() if found else None


class LearningLog:
    """Measures before and after a step, and logs once the numbers of the step have arrived.

    Args:
        every: steps from one line to the next, where no framework says when the run logs; 0: never.
        scale: of the audio loss, see ``AudioLossMonitor``.
        examiner: knows the model and its family.
        announcer: sends the figures to the sinks.

    Attributes:
        every: steps from one line to the next, see there.
        learning: the figures since the last line.
        steps: after which the run logged, whose numbers have not arrived.

    Raises:
        SettingError: the number of steps makes no sense.
    """

    def __init__(self, every: int, scale: float, examiner: Examiner, announcer: Announcer) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 0:
            raise SettingError("log_every", f"must be a whole number of steps from 0 on, not {every!r}")
        self.every, self._examiner, self._announcer = every, examiner, announcer
        self.learning, self.steps = Learning(scale), deque[int]()
        self._figures: dict[str, float] = {}

    def begin(self) -> None:
        """A training begins, perhaps of another model."""
        self.learning.begin()
        self.steps.clear()
        self._figures = {}

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

    def arrived(self, step: int, values: Mapping[str, float], *, speaks: bool) -> None:
        """The numbers of a step at which a line may be due are taken in; ``speaks``: whether this rank writes it."""
        if not self.steps or step < self.steps[0]:
            return
        while self.steps and self.steps[0] <= step:
            self.steps.popleft()
        loss = self.learning.mean
        self._figures = found = self.learning.figures(values, self._examiner.layout)
        if found and speaks:
            self._announcer.figures(step, found, loss)

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
