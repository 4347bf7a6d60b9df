"""Everything that the probe has to say of a step: its micro-batches, and the model that runs on one of them again.

Nothing of that is left in the training: modes and the state of random numbers are put back.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.model import Finding
from audioloss_cli.probe.check import run_checks
from audioloss_cli.probe.errors import ProbeError
from audioloss_cli.probe.measure.evidence import Evidence, Logged
from audioloss_cli.probe.measure.observe import observe
from audioloss_cli.probe.model_io.adapter import Adapter
from audioloss_cli.probe.model_io.signature import unwrapped
from audioloss_cli.training.batches.evidence import STRUCTURAL, as_given, check_inputs, evidence_of, with_labels
from audioloss_cli.training.batches.examination import Examination, examination_of, grave, gravity
from audioloss_cli.training.batches.recent import MicroBatch, on_cpu
from audioloss_cli.training.response.sharded import is_sharded

# After these the forward pass would read other memory, or kill a CUDA context.
_FATAL = ("id_out_of_range", "ignored_index_in_inputs")


LogitsCheck = Callable[[Tensor, Tensor], list[Finding]]


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
