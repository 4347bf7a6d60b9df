"""The checks of the probe inside the loop: structure on the first batches, everything at an alert."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from audioloss_cli.model import Finding
from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.model_io.adapter import Adapter, Options
from audioloss_cli.probe.model_io.choose import COMMON, choose_adapter
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.probe.model_io.signature import described, unwrapped
from audioloss_cli.training.batches.evidence import STRUCTURAL, check_inputs, masked_codebooks, unlabelled
from audioloss_cli.training.batches.examination import Examination, to_be_said, with_noted
from audioloss_cli.training.batches.full_examination import LogitsCheck, examine_fully
from audioloss_cli.training.batches.recent import MicroBatch


class Examiner:
    """Chooses the adapter at the first batch, and runs the checks.

    Args:
        adapter: name of the model family; found by the configuration and the batch if empty.
        options: for the generic adapter.
        forward: whether the full checks may run the model once more on the batch of an alert.

    Attributes:
        model: the one that is trained; None as long as it is not known.
        adapter: of its family; None as long as that is not known.
        complaint: why it is not.
        busy: the model runs for an examination, which is no training step.
        check_logits: what a framework wants to ask of the logits beside the checks.
        noted: what was found of losses and gradients, which speaks for a cause as what the checks find does.
    """

    def __init__(self, adapter: str = "", options: Options | None = None, *, forward: bool = True) -> None:
        self._name, self._options, self._forward = adapter, options or Options(), forward
        self.model: Any = None
        self.adapter: Adapter | None = None
        self.complaint = ""
        self.busy = False
        self.check_logits: LogitsCheck | None = None
        self.noted: list[Finding] = []

    @property
    def layout(self) -> Layout | None:
        """Of the model's family; None as long as it is not known."""
        return None if self.adapter is None else self.adapter.layout

    def choose(self, fed: MicroBatch) -> None:
        """By the configuration of the model and the keys of the first batch; ``complaint`` says why none was found."""
        self.adapter = self._adapter_for(fed)

    def _adapter_for(self, fed: MicroBatch) -> Adapter | None:
        if not isinstance(fed.clean, Mapping):
            self.complaint = f"a batch must be a mapping of names to tensors, not a {type(fed.clean).__name__}"
            return None
        batch = {**(fed.original or {}), **fed.clean}
        try:
            adapter, _ = choose_adapter(self._name, _configuration(self.model), self._options, batch)
        except UsageError as error:
            names = ", ".join(map(str, batch)) or "nothing"
            unknown = f"no model family is known for a batch of {names}; give adapter=, or model= with a configuration"
            self.complaint = str(error).replace("--adapter ", "adapter=", 1) if self._name else unknown
            return None
        if not self._name and self._is_of_another_form(adapter, fed):
            names = ", ".join(map(str, batch))
            self.complaint = f"the batch ({names}) is of another form than {adapter.layout.name} takes; give adapter="
            return None
        self.complaint = ""
        return adapter

    def _is_of_another_form(self, adapter: Adapter, fed: MicroBatch) -> bool:
        """Whether names that many families share were taken for those of one: the model has just run on the batch."""
        if any(item.name in fed.clean and item.name not in COMMON for item in adapter.layout.fields):
            return False
        try:
            found = [each for outcome in check_inputs(adapter, fed, STRUCTURAL) for each in outcome.findings]
        except Exception:  # noqa: BLE001  # a batch that no check foresaw
            return True
        return any(each.code in ("wrong-shape", "wrong-text-shape") for each in found)

    def first_look(self, fed: MicroBatch) -> list[Finding]:
        """What is said of one of the first batches; a framework may put its own in the place of ``look``."""
        return self.look(fed)

    def look(self, fed: MicroBatch) -> list[Finding]:
        """Findings of at least a warning, and notes: of all inputs, or of their structure alone where they are far.

        Far is a batch on a device.
        """
        if self.adapter is None:
            return unlabelled(fed)
        far = any(isinstance(value, Tensor) and not value.is_cpu for value in fed.clean.values())
        try:
            # Without the model's configuration its ids are a guess.
            outcomes = check_inputs(self.adapter, fed, STRUCTURAL if far or self.model is None else None)
            masked = [] if far else masked_codebooks(self.adapter, fed)
        except Exception as error:  # noqa: BLE001  # a batch that no check foresaw must not end a training
            self.complaint = _unread(error)
            return []
        found = [*masked, *(finding for outcome in outcomes for finding in outcome.findings)]
        return to_be_said(found)

    def full(self, fed: Sequence[MicroBatch], step: int, loss: float) -> Examination:
        """Everything; see ``examine_fully``, for which the model runs once more on a micro-batch of the step."""
        if not fed:
            note = self.complaint or "no batch was shown: give batch= to have it examined"
            return with_noted(Examination(notes=[note]), self.noted)
        try:
            # Not kept where it is found only now: by its layout losses would be read in another way from here on.
            adapter = self.adapter or self._adapter_for(fed[-1])
            if adapter is None:
                return with_noted(Examination(unlabelled(fed[-1]), notes=[self.complaint]), self.noted)
            with self._quiet():
                found = examine_fully(
                    adapter,
                    self.model,
                    fed,
                    step,
                    loss,
                    forward=self._forward,
                    check_logits=self.check_logits,
                )
            return with_noted(found, self.noted)
        except Exception as error:  # noqa: BLE001  # the alert is worth more than what the batch adds to it
            return Examination(notes=[_unread(error)])

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """``busy`` tells hooks on the model that this is no training step."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False


def _unread(error: Exception) -> str:
    return f"the checks cannot read the batch: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _configuration(model: Any) -> Mapping[str, Any]:
    config = getattr(unwrapped(model), "config", None) if model is not None else None
    found: Any = config.to_dict() if config is not None and hasattr(config, "to_dict") else config
    return found if isinstance(found, Mapping) else described(unwrapped(model))
