"""One backward pass: does the loss reach the audio parameters?"""

import re

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from audioloss_cli.probe.measure.alignment import OFFSETS, targets
from audioloss_cli.probe.measure.as_trained import AsTrained, text_labels
from audioloss_cli.probe.measure.evidence import REST, Evidence, Gradient, GradientSource
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, Model, Output
from audioloss_cli.probe.model_io.signature import unwrapped

_IGNORED = -100  # by the losses of text, whatever that of the audio ignores
_ELEMENTS = 2**24  # of the logits, of which one float32 copy is made at a time


def audio_gradients(
    evidence: Evidence, adapter: Adapter, model: Model, batch: Batch
) -> tuple[dict[str, Gradient], GradientSource]:
    """Group of parameters -> its gradient, and which loss it comes from.

    That of the whole if the model is the user's own, as only there the audio loss can be left out of it; else the
    reported one; else, if none is reported, the probe's own cross entropy against the labels. Gradients that the model
    held before are gone afterwards. Empty without any loss, such as without labels.

    Args:
        evidence: of the forward pass.
        adapter: of the model family.
        model: in eval mode.
        batch: on its device.
    """
    if not isinstance(model, torch.nn.Module):
        return {}, ""
    model.zero_grad(set_to_none=True)
    with torch.enable_grad():
        loss, source = _loss(evidence, adapter, model, batch)
        if loss is None:
            return {}, ""
        if loss.requires_grad:
            loss.mean().backward()  # of several devices there are several
    found = _by_group(evidence, model)
    model.zero_grad(set_to_none=True)
    return found, source


def _loss(evidence: Evidence, adapter: Adapter, model: Model, batch: Batch) -> tuple[Tensor | None, GradientSource]:
    if type(unwrapped(model)).__module__.startswith("transformers."):
        output = adapter.run(model, batch)
    else:
        whole = AsTrained(model, text_labels(evidence, model, batch))
        output = adapter.run(whole, batch)
        if whole.total is not None and (whole.labels or whole.total is not output.loss):
            return whole.total, "total"
    if output.loss is not None:
        return output.loss, "reported"
    return _recomputed(output, evidence), "recomputed"


def _by_group(evidence: Evidence, model: torch.nn.Module) -> dict[str, Gradient]:
    """Every norm is computed where its gradient lies, and all come over together."""
    groups: dict[str, list[tuple[str, Tensor]]] = {group: [] for group in (*evidence.layout.parameters, REST)}
    for name, parameter in model.named_parameters():
        groups[_group(name, evidence)].append((name, parameter))
    norms = {group: _norm([tensor for _, tensor in each]) for group, each in groups.items() if each}
    there = [norm for norm in norms.values() if norm is not None]
    values = iter(torch.stack([norm.to(there[0].device) for norm in there]).tolist() if there else [])
    found = {}
    for group, norm in norms.items():
        trained = [name for name, tensor in groups[group] if tensor.requires_grad]
        adapted = sum("lora_" in name for name in trained)
        found[group] = Gradient(
            len(groups[group]), len(trained), 0.0 if norm is None else next(values), adapted=adapted
        )
    return found


def _group(name: str, evidence: Evidence) -> str:
    return next((group for group, pattern in evidence.layout.parameters.items() if re.search(pattern, name)), REST)


def _norm(parameters: list[Tensor]) -> Tensor | None:
    """0-d float32, where the first gradient lies; None without any."""
    norms = []
    for each in parameters:
        if each.requires_grad and each.grad is not None:
            values = each.grad.coalesce().values() if each.grad.is_sparse else each.grad
            wide = torch.promote_types(values.dtype, torch.float32)
            norms.append(torch.linalg.vector_norm(values, dtype=wide).float())
    return torch.linalg.vector_norm(torch.stack([each.to(norms[0].device) for each in norms])) if norms else None


def _recomputed(output: Output, evidence: Evidence) -> Tensor | None:
    """The mean cross entropy against the labels, for a model that reports none; None if no label counts.

    The labels are moved to the rows of the logits, not the other way round, and the pieces are computed again in the
    backward pass: beside the logits there is their gradient, and a float32 copy of one piece.
    """
    wanted, logits, ignore = targets(evidence.audio, evidence.layout), output.logits, evidence.layout.ignore_index
    labels = wanted[len(OFFSETS)] if len(wanted) > len(OFFSETS) else None
    if logits is None or labels is None:
        return None
    if labels.shape != (len(logits if output.rows is None else output.rows), logits.shape[1]):
        return None
    counted = (labels != ignore) & (labels >= 0) & (labels < logits.shape[2])  # an id too large breaks CUDA
    if not bool(counted.any()):
        return None
    labels = labels.masked_fill(~counted, _IGNORED)
    if output.rows is not None:
        labels = labels.new_full(logits.shape[:2], _IGNORED).index_copy(0, output.rows.cpu(), labels)
    return _summed(logits, labels.to(logits.device)) / int(counted.sum())


def _summed(logits: Tensor, labels: Tensor) -> Tensor:
    """0-d float32: over pieces of [M, K, V] logits and [M, K] labels."""
    rows = max(_ELEMENTS // max(logits.shape[1] * logits.shape[2], 1), 1)
    pieces = zip(logits.split(rows), labels.split(rows), strict=True)
    parts: list[Tensor] = [
        checkpoint(_piece, *piece, use_reentrant=False, preserve_rng_state=False) for piece in pieces
    ]
    return torch.stack(parts).sum()


def _piece(logits: Tensor, labels: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), reduction="sum", ignore_index=_IGNORED
    )
