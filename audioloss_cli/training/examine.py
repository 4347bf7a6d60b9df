"""The checks of the probe inside the loop: structure on the first batches, everything at an alert."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.adapter import Adapter, Options, with_tensors
from audioloss_cli.probe.alignment import Audio
from audioloss_cli.probe.check import Outcome, run_checks
from audioloss_cli.probe.choose import choose_adapter
from audioloss_cli.probe.errors import ProbeError, UsageError
from audioloss_cli.probe.evidence import Evidence, Logged
from audioloss_cli.probe.layout import Layout
from audioloss_cli.probe.observe import observe, read_audio
from audioloss_cli.probe.signature import unwrapped
from audioloss_cli.records import Finding, Severity
from audioloss_cli.training.bystander import evaluating, is_sharded
from audioloss_cli.training.examination import Examination, examination_of, grave, gravity
from audioloss_cli.training.recent import Batch, Fed, on_cpu

#: Checks that look at keys, shapes and dtypes alone: they read no value, so that they never wait for a device.
STRUCTURAL = ("missing_input", "dropped_by_trainer", "wrong_dtype", "wrong_shape", "wrong_text_shape")
# After these the forward pass would read other memory, or kill a CUDA context.
_FATAL = ("id_out_of_range", "ignored_index_in_inputs")
_LABELS = ("audio-labels", "text-labels")


class Examiner:
    """Chooses the adapter at the first batch, and runs the checks.

    Args:
        adapter: name of the model family; found by the configuration and the batch if empty.
        options: for the generic adapter.
        forward: whether the full checks may run the model once more on the batch of an alert.
    """

    def __init__(self, adapter: str = "", options: Options | None = None, *, forward: bool = True) -> None:
        self._name, self._options, self._forward = adapter, options or Options(), forward
        self.model: Any = None
        self.adapter: Adapter | None = None
        self.complaint = ""
        self.busy = False

    @property
    def layout(self) -> Layout | None:
        """Of the model's family; None as long as it is not known."""
        return None if self.adapter is None else self.adapter.layout

    def choose(self, fed: Fed) -> None:
        """By the configuration of the model and the keys of the first batch; ``complaint`` says why none was found."""
        if not isinstance(fed.clean, Mapping):
            self.complaint = f"a batch must be a mapping of names to tensors, not a {type(fed.clean).__name__}"
            return
        batch = {**(fed.original or {}), **fed.clean}
        try:
            self.adapter, _ = choose_adapter(self._name, _configuration(self.model), self._options, batch)
            self.complaint = ""
        except UsageError as error:
            names = ", ".join(map(str, batch)) or "nothing"
            unknown = f"no model family is known for a batch of {names}; give adapter=, or model= with a configuration"
            self.complaint = str(error).replace("--adapter ", "adapter=", 1) if self._name else unknown

    def first_look(self, fed: Fed) -> list[Finding]:
        """What is said of one of the first batches; a framework may put its own in the place of ``look``."""
        return self.look(fed)

    def look(self, fed: Fed) -> list[Finding]:
        """Findings of at least a warning: of all inputs, or of their structure alone where the batch is on a device."""
        if self.adapter is None:
            return []
        far = any(isinstance(value, Tensor) and not value.is_cpu for value in fed.clean.values())
        try:
            # Without the model's configuration its ids are a guess.
            outcomes = self._inputs(self.adapter, fed, STRUCTURAL if far or self.model is None else None)
        except Exception as error:  # noqa: BLE001  # a batch that no check foresaw must not end a training
            self.complaint = _unread(error)
            return []
        found = [finding for outcome in outcomes for finding in outcome.findings]
        return grave([each for each in found if each.severity is not Severity.INFO])

    def full(self, fed: Sequence[Fed], step: int, loss: float) -> Examination:
        """Everything, on the micro-batch that looks worst; the model runs on it once more, without gradients.

        Args:
            fed: micro-batches of the step.
            step: training step.
            loss: the audio loss that was watched there, to hold beside the one of the logits.
        """
        if not fed or self.adapter is None:
            return Examination(notes=[self.complaint or "no batch was shown: give batch= to have it examined"])
        try:
            with self._quiet():
                return self._full(self.adapter, [on_cpu(each) for each in fed], step, loss)
        except Exception as error:  # noqa: BLE001  # the alert is worth more than what the batch adds to it
            return Examination(notes=[_unread(error)])

    def _full(self, adapter: Adapter, fed: Sequence[Fed], step: int, loss: float) -> Examination:
        inputs = [self._inputs(adapter, each, STRUCTURAL if self.model is None else None) for each in fed]
        worst = max(range(len(fed)), key=lambda index: gravity(inputs[index]))
        outcomes, notes = inputs[worst], []
        evidence = self._evidence(adapter, _with_labels(fed[worst], adapter.layout))
        evidence.logged = (Logged("live", "audio_loss", step, loss, loss),) if math.isfinite(loss) else ()
        why_not = self._why_no_forward(evidence)
        if why_not:
            notes = [why_not]
        else:
            try:
                self._observe(evidence, adapter)
                outcomes = [*outcomes[:-1], run_checks(evidence)]
            except ProbeError as error:
                notes = [f"the model was not run again: {error}"]
        return examination_of(outcomes, notes)

    def _inputs(self, adapter: Adapter, fed: Fed, names: tuple[str, ...] | None = None) -> list[Outcome]:
        """Of the original batch beside what was kept of it, then of what the model was given."""
        layout, clean = adapter.layout, _with_labels(fed, adapter.layout)
        kept = frozenset(map(str, clean))
        outcomes = []
        if fed.original is not None:
            outcomes.append(run_checks(self._evidence(adapter, fed.original, kept, read=names is None), names))
        if fed.dropped:
            gone = Evidence(layout, {**clean, **dict.fromkeys(fed.dropped, True)}, kept=kept)
            outcomes.append(run_checks(gone, ("dropped_by_trainer",)))
        outcomes.append(run_checks(self._evidence(adapter, clean, None, read=names is None), names))
        return outcomes

    def _evidence(
        self, adapter: Adapter, batch: Batch, kept: frozenset[str] | None = None, *, read: bool = True
    ) -> Evidence:
        batch = with_tensors(batch)
        audio = _read(adapter, batch) if read else Audio()
        return Evidence(_as_given(adapter.layout, batch), batch, audio, kept=kept)

    def _why_no_forward(self, evidence: Evidence) -> str:
        if not self._forward or self.model is None:
            return "" if self.model is not None else "the logits were not examined: give model= to have it run again"
        if is_sharded(self.model):
            return "the logits were not examined: one rank cannot run a sharded model by itself"
        wrong = run_checks(evidence, _FATAL).findings
        return f"the logits were not examined: {wrong[0].message}" if wrong else ""

    def _observe(self, evidence: Evidence, adapter: Adapter) -> None:
        model = unwrapped(self.model)
        device = next((each.device for each in model.parameters()), torch.device("cpu"))
        with evaluating(model):
            observe(evidence, adapter, model, device, backward=False)
        evidence.layout = _as_given(adapter.layout, evidence.batch)  # a generic adapter has learnt V from the logits

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


def _with_labels(fed: Fed, layout: Layout) -> dict[str, Any]:
    """What the model was given, and the labels that a loop holds its logits against by itself."""
    labels = {item.name for item in layout.fields if item.role in _LABELS}
    own = {name: value for name, value in (fed.original or {}).items() if name in labels}
    return {name: value for name, value in {**own, **fed.clean}.items() if value is not None}


def _as_given(layout: Layout, batch: Batch) -> Layout:
    """Labels are not missing where the model is given none at all: a loop that computes its loss keeps them."""
    if any(batch.get(item.name) is not None for item in layout.fields if item.role in _LABELS):
        return layout
    fields = tuple(replace(item, required=item.required and item.role not in _LABELS) for item in layout.fields)
    return replace(layout, fields=fields)


def _read(adapter: Adapter, batch: Mapping[str, Any]) -> Audio:
    """Audio that cannot be read is absent: the checks of shape say why."""
    try:
        return read_audio(adapter, batch)
    except (RuntimeError, IndexError, TypeError, ValueError):
        return Audio()


def _configuration(model: Any) -> Mapping[str, Any]:
    config = getattr(unwrapped(model), "config", None) if model is not None else None
    found: Any = config.to_dict() if config is not None and hasattr(config, "to_dict") else config
    return found if isinstance(found, Mapping) else {}
