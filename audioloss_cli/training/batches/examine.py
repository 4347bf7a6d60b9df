"""The checks of the probe inside the loop: structure on the first batches, everything at an alert.

Everything is what they say of the micro-batches of a step, and of the model that runs on one of them again. Nothing of
that is left in the training: modes and the state of random numbers are put back.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import Finding
from audioloss_cli.probe.check import run_checks
from audioloss_cli.probe.errors import ProbeError, UsageError
from audioloss_cli.probe.measure.evidence import Evidence, Logged
from audioloss_cli.probe.measure.observe import observe
from audioloss_cli.probe.model_io.adapter import Adapter, Options
from audioloss_cli.probe.model_io.choose import COMMON, choose_adapter
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.probe.model_io.signature import described, unwrapped
from audioloss_cli.training.batches.evidence import (
    STRUCTURAL,
    Examination,
    as_given,
    check_inputs,
    evidence_of,
    examination_of,
    grave,
    gravity,
    masked_codebooks,
    to_be_said,
    unlabelled,
    with_labels,
    with_noted,
)
from audioloss_cli.training.batches.recent import MicroBatch, on_cpu
from audioloss_cli.training.response.restore import is_sharded

# After these the forward pass would read other memory, or kill a CUDA context.
_FATAL = ("id_out_of_range", "ignored_index_in_inputs")


LogitsCheck = Callable[[Tensor, Tensor], list[Finding]]


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


def examine_fully(
    adapter: Adapter,
    model: Any,
    fed: Sequence[MicroBatch],
    step: int,
    loss: float,
    *,
    forward: bool,
    check_logits: LogitsCheck | None = None,
) -> Examination:
    """On the micro-batch that looks worst the model runs once more, without gradients.

    Args:
        adapter: of the model's family.
        model: None if it is not known.
        fed: micro-batches of the step, at least one.
        step: training step.
        loss: the audio loss that was watched there, to hold beside the one of the logits.
        forward: whether the model may run.
        check_logits: what else is to be asked about the audio logits [N, K, V], which get the labels [N, K] with them.
    """
    fed = [on_cpu(each) for each in fed]
    inputs = [check_inputs(adapter, each, STRUCTURAL if model is None else None) for each in fed]
    worst = max(range(len(fed)), key=lambda index: gravity(inputs[index]))
    outcomes = inputs[worst]
    evidence = evidence_of(adapter, with_labels(fed[worst], adapter.layout))
    evidence.logged = (Logged("live", "audio_loss", step, loss, loss),) if math.isfinite(loss) else ()
    keep: list[Tensor] | None = None if check_logits is None else []
    why_not = _why_no_forward(evidence, model, forward=forward) or _observed(evidence, adapter, model, keep)
    if why_not:
        return examination_of(outcomes, [why_not])
    found = examination_of([*outcomes[:-1], run_checks(evidence)], [])
    labels = evidence.audio.labels
    if check_logits is not None and keep and labels is not None:
        found.findings = grave([*found.findings, *check_logits(keep[0], labels.to(keep[0].device))])
    return found


def _why_no_forward(evidence: Evidence, model: Any, *, forward: bool) -> str:
    if model is None:
        return "the logits were not examined: give model= to have it run again"
    if not forward:
        return "the logits were not examined: forward is False"
    if is_sharded(model):
        return "the logits were not examined: one rank cannot run a sharded model by itself"
    wrong = run_checks(evidence, _FATAL).findings
    return f"the logits were not examined: {wrong[0].message}" if wrong else ""


def _observed(evidence: Evidence, adapter: Adapter, model: Any, keep: list[Tensor] | None) -> str:
    """Run the model; why it could not be, if so."""
    model = unwrapped(model)
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    try:
        with evaluating(model):
            observe(evidence, adapter, model, device, backward=False, keep=keep)
            if evidence.failure:
                _again_in_half(evidence, adapter, model, device, keep)
    except ProbeError as error:
        return f"the model was not run again: {error}"
    evidence.layout = as_given(adapter.layout, evidence.batch)  # a generic adapter has learnt V from the logits
    return ""


def _again_in_half(
    evidence: Evidence, adapter: Adapter, model: Any, device: torch.device, keep: list[Tensor] | None
) -> None:
    """The training ran: what fails here and not under autocast is run so by the loop, as FlashAttention must be."""
    failed, evidence.failure = evidence.failure, ""
    with torch.autocast(device.type, dtype=torch.bfloat16):
        observe(evidence, adapter, model, device, backward=False, keep=keep)
    evidence.failure = evidence.failure and failed


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Without dropout, and without a trace: modes and the state of random numbers are put back.

    The flags are set, not ``eval()`` called: a layer may merge weights there, as those of loralib do, and what merging
    and taking apart again rounds would stay in the weights. Its forward pass is that of the training this way.
    """
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({each.device.index or 0 for each in model.parameters() if each.is_cuda})
    with torch.random.fork_rng(devices):
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, mode in modes:
                module.training = mode
