"""From one batch and a model to the evidence of what a forward pass shows."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.errors import EnvironmentalError, ProbeError, UnreadableError
from audioloss_cli.probe.measure.alignment import Audio, targets
from audioloss_cli.probe.measure.evidence import Evidence, LabelResponse
from audioloss_cli.probe.measure.gradients import audio_gradients
from audioloss_cli.probe.measure.label_response import LabelChange, label_response, usable
from audioloss_cli.probe.measure.perturb import perturb, row_to_perturb, rows_around
from audioloss_cli.probe.measure.statistics import LogitStatistics, logit_statistics
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, Model, readable, to_device
from audioloss_cli.probe.model_io.device import memory_guard
from audioloss_cli.terminal import words_of

_SPECIAL = 16  # ids at most that a family adds to those of its codec
_STEPS = (7, 3)  # ids by which labels are moved, once and once more


def read_audio(adapter: Adapter, batch: Batch) -> Audio:
    """The audio of a batch in rows, on the CPU; all one segment where the adapter cannot tell."""
    batch = readable(batch, adapter.layout)
    found = (adapter.codes(batch), adapter.labels(batch), adapter.segments(batch), adapter.samples(batch))
    codes, labels, segments, samples = (None if item is None else item.cpu() for item in found)
    rows = codes if codes is not None else labels
    if rows is not None and (segments is None or len(segments) != len(rows)):
        segments = torch.zeros(len(rows), dtype=torch.long, device="cpu")
    if rows is not None and samples is not None and len(samples) != len(rows):
        samples = None
    counted = getattr(adapter, "counted", None)
    inside = counted(batch) if counted is not None and labels is None else None
    if inside is not None:
        inside = inside.cpu()
        segments = segments if segments is not None else torch.zeros(len(inside), dtype=torch.long, device="cpu")
    return Audio(codes, labels, segments, samples, adapter.placeholders(batch), inside)


def observe(
    evidence: Evidence,
    adapter: Adapter,
    model: Model,
    device: torch.device,
    *,
    backward: bool,
    keep: list[Tensor] | None = None,
) -> None:
    """Fill in what a forward pass shows; an exception of the model becomes ``failure``.

    Args:
        evidence: of the batch.
        adapter: of the model's family.
        model: the model.
        device: where it is.
        backward: whether a gradient is asked for, too.
        keep: gets the audio logits [N, K, V], for whoever wants more of them than their statistics.

    Raises:
        EnvironmentalError: out of memory.
    """
    try:
        with memory_guard(device):
            batch = _fed(evidence.batch, adapter, model, device)
            with torch.no_grad():
                _forward(evidence, adapter, model, batch, keep)
            if backward and evidence.stats is not None and evidence.stats.shape[0]:
                evidence.gradients, evidence.gradient_source = audio_gradients(evidence, adapter, model, batch)
    except ProbeError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a stranger's model raises is a finding
        evidence.failure = _raised(error)


def held_out_loss(evidence: Evidence, adapter: Adapter, model: Model, batch: Batch, device: torch.device) -> float:
    """Mean cross entropy against the next code on another batch, nats; NaN if it cannot be had.

    Raises:
        UnreadableError: the model raises on that batch.
        EnvironmentalError: out of memory.
    """
    other = replace(evidence, batch=batch, audio=read_audio(adapter, batch), stats=None, perturbation=None, failure="")
    try:
        with torch.no_grad(), memory_guard(device):
            output = adapter.run(model, _fed(batch, adapter, model, device))
            if output.logits is not None:
                other.stats = _measured(output.logits, output.rows, other)
    except ProbeError:
        raise
    except (Exception, SystemExit) as error:
        raise UnreadableError(f"--held-out: {_raised(error)}; probe that data with --data to see why") from error
    return other.next_loss


def _fed(batch: Batch, adapter: Adapter, model: Model, device: torch.device) -> Batch:
    """On the device, and what is floating in the dtype of the weights, as autocast has it in training.

    What should hold ids stays as it is: in bfloat16 an id would become another.
    """
    moved: dict[str, Any] = to_device(batch, device)
    parameters = model.parameters() if isinstance(model, torch.nn.Module) else ()
    dtype = next((each.dtype for each in parameters if each.is_floating_point()), None)
    ids = {item.name for item in adapter.layout.fields if item.kind != "floating"}
    for name, value in moved.items():
        if dtype is not None and name not in ids and isinstance(value, Tensor) and value.is_floating_point():
            moved[name] = value.to(dtype)
    return moved


def _raised(error: BaseException) -> str:
    return f"the model raised {type(error).__name__}: {words_of(error)[:300]}"


def _forward(evidence: Evidence, adapter: Adapter, model: Model, batch: Batch, keep: list[Tensor] | None) -> None:
    output = adapter.run(model, batch)
    evidence.layout = adapter.layout  # a generic adapter learns V from the logits
    evidence.reported = None if output.loss is None else float(output.loss.float().mean())
    evidence.total = None if output.total is None else float(output.total.float().mean())
    if output.logits is None:
        evidence.failure = "the output of the model holds no audio logits; name them with --logits-key"
        return
    evidence.stats = _measured(output.logits, output.rows, evidence)
    if keep is not None:
        keep.append(output.logits if output.rows is None else output.logits[output.rows])
    asked = usable(evidence, adapter, model, batch, output)
    changes = [LabelChange(evidence, output, step) for step in _STEPS] if asked else []
    row = row_to_perturb(evidence)
    before = None if row is None else rows_around(output.logits, output.rows, evidence, row)
    del output  # the second pass must find room for its own logits
    if row is not None and before is not None:
        evidence.perturbation = perturb(evidence, adapter, model, batch, row, before)
    if changes:
        evidence.response = _response(evidence, adapter, model, batch, changes)


def prepared(adapter: Adapter, model: Model, batch: Batch, device: torch.device) -> Batch:
    """The batch, with what only the model can make of it beside it, on the CPU; as it is if the model raises."""
    make = getattr(adapter, "prepared", None)
    if make is None:
        return batch
    try:
        with memory_guard(device), torch.no_grad():
            made: Batch = to_device(make(model, _fed(batch, adapter, model, device)), torch.device("cpu"))
    except EnvironmentalError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001  # the true pass will say what is wrong
        return batch
    return {**batch, **{name: value for name, value in made.items() if name not in batch}}


def learn_vocabulary(adapter: Adapter, model: Model, batch: Batch, device: torch.device) -> None:
    """Have an adapter that does not know how many ids a codebook has see logits, of codes that every model has.

    So an id out of range is named before it raises in the model, or kills the context of a CUDA device.

    Args:
        adapter: of the model family; its layout learns the number of ids.
        model: in eval mode.
        batch: of which nothing but zeros is fed in.
        device: where the model is.

    Raises:
        EnvironmentalError: out of memory.
    """
    audio = read_audio(adapter, batch)
    if adapter.layout.vocab_size or audio.codes is None or not len(audio.codes):
        return
    try:
        with memory_guard(device), torch.no_grad():
            tame = adapter.with_codes(batch, torch.zeros_like(audio.codes))
            labels = adapter.layout.named("audio-labels")
            if labels is not None and isinstance(found := tame.get(labels.name), Tensor):
                tame[labels.name] = torch.zeros_like(found)
            adapter.run(model, _fed(tame, adapter, model, device))
    except EnvironmentalError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001  # the true pass will say what is wrong
        return
    size = adapter.layout.vocab_size
    adapter.layout = replace(adapter.layout, input_size=_input_size(model, size, adapter.layout.num_codebooks))


def _input_size(model: Model, size: int, books: int) -> int:
    """Ids that can be fed in: a table of embeddings may hold special ones behind those that can be predicted."""
    modules = model.modules() if isinstance(model, torch.nn.Module) else ()
    tables = {each.num_embeddings for each in modules if isinstance(each, torch.nn.Embedding)}
    each = tables | {count // books for count in tables if books and count % books == 0}
    return max((count for count in each if size <= count <= size + _SPECIAL), default=size)


def _response(
    evidence: Evidence, adapter: Adapter, model: Model, batch: Batch, changes: list[LabelChange]
) -> LabelResponse | None:
    """None where the model minds other labels: it went through with its own."""
    try:
        return label_response(evidence, adapter, model, batch, changes)
    except (MemoryError, torch.OutOfMemoryError, ProbeError):
        raise
    except Exception:  # noqa: BLE001  # whatever a stranger's model raises
        return None


def _measured(logits: Tensor, rows: Tensor | None, evidence: Evidence) -> LogitStatistics:
    """Targets that do not fit the logits are left out; another check tells so."""
    size = (len(logits if rows is None else rows), logits.shape[1])
    fitting = [each for each in targets(evidence.audio, evidence.layout) if each.shape == size]
    wanted = [each.to(logits.device) for each in fitting]
    return logit_statistics(logits, wanted, rows=rows, ignore_index=evidence.layout.ignore_index)
