"""What was understood of a batch and a model, and what was not, in lines for the screen."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import prepared, read_audio
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, Model, Output, to_device
from audioloss_cli.probe.model_io.layout import Field
from audioloss_cli.terminal import words_of

_MADE = "_"  # before the names of what an adapter made of the batch


def layout_lines(adapter: Adapter, name: str, model: Model, batch: Batch, device: torch.device) -> Iterator[str]:
    """Lines: the family, each field of the batch, the logits, the losses, the ids, and what nothing is known of.

    Args:
        adapter: of the model family.
        name: of the adapter.
        model: in eval mode, on the device.
        batch: on the CPU.
        device: where the model is.
    """
    batch = prepared(adapter, model, batch, device)
    output, failure = _run(adapter, model, batch, device)
    evidence = Evidence(adapter.layout, batch, read_audio(adapter, batch))
    layout, audio = adapter.layout, evidence.audio
    yield f"adapter: {name}, {layout.name}"
    for item in layout.fields:
        yield f"{item.role}: {_field(item, batch)}"
    yield f"codes read: {_rows(audio.codes)}"
    yield f"labels read: {_rows(audio.labels)}{_valid(evidence)}"
    if audio.segments is not None:
        yield f"segments: {len(audio.segments.unique())}, samples: {_count(audio.samples)}"
    yield f"logits read: {failure or _logits(output)}"
    for what, loss in (("audio loss", output.loss), ("loss of the whole", output.total)):
        yield f"{what}: {'none in the output' if loss is None else f'{float(loss.float().mean()):.4g}'}"
    ids = ", ".join(f"{key} {_known(getattr(layout, key))}" for key in ("bos", "eos", "pad"))
    yield f"vocabulary: {layout.num_codebooks or 'unknown'} codebooks of {layout.vocab_size or 'unknown'} ids, {ids}"
    yield f"labels that do not count: {layout.ignore_index}; the loss shifts labels by {layout.shift}"
    yield f"codebooks are delayed: {_known(layout.delayed)}"
    match = evidence.label_match
    if match is not None and match.common is not None:
        yield f"seen: the label at t is the code at t {match.common:+d}"
    names = {item.name for item in layout.fields}
    others = [str(key) for key in batch if key not in names and not str(key).startswith(_MADE)]
    yield f"of no role: {', '.join(others) or 'nothing'}"


def _run(adapter: Adapter, model: Model, batch: Batch, device: torch.device) -> tuple[Output, str]:
    try:
        with torch.no_grad():
            return adapter.run(model, to_device(batch, device)), ""
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a stranger's model raises is told
        return Output(None, None), f"none, for the model raised {type(error).__name__}: {words_of(error)[:200]}"


def _field(item: Field, batch: Batch) -> str:
    value: Any = batch.get(item.name)
    axes = f"[{item.axes.replace(' ', ', ')}]" + (f", the first {item.first} along K left out" if item.first else "")
    if value is None:
        return f"{item.name} {axes}: not in the batch{', and needed' if item.required else ''}"
    if not isinstance(value, Tensor):
        return f"{item.name} {axes}: a {type(value).__name__}, where a tensor must be"
    return f"{item.name} {axes}: {list(value.shape)} {str(value.dtype).removeprefix('torch.')}"


def _rows(found: Tensor | None) -> str:
    return "none" if found is None else f"{len(found)} rows of {found.shape[1]} codebooks"


def _valid(evidence: Evidence) -> str:
    return "" if evidence.valid is None else f", {int(evidence.valid.sum())} of {evidence.valid.numel()} count"


def _count(found: Tensor | None) -> str:
    return "unknown" if found is None else str(len(found.unique()))


def _logits(output: Output) -> str:
    if output.logits is None:
        return "none in the output; name them with --logits-key"
    rows = len(output.logits) if output.rows is None else len(output.rows)
    return f"{rows} rows of {list(output.logits.shape[1:])}, of {len(output.logits)} in the output"


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)
