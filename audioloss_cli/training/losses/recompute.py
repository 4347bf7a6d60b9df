"""The audio loss from logits and labels, on the device and without a wait for it.

Boolean indexing would be the obvious way; its result has a size that only the device knows, so that the host must wait.
Here rows are put in order by a stable sort instead, and what does not count is labelled with the ignored index.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from audioloss_cli.probe.model_io.adapter import field_of, to_device
from audioloss_cli.probe.model_io.layout import Layout

_EXPANDED = ("input_ids", "audio_labels", "audio_input_ids_mask")
_ORIGINAL = ("label_audio_ids", "audio_out_ids_start")


@torch.no_grad()
def recompute(outputs: Any, batch: Mapping[str, Any], layout: Layout) -> Tensor | None:
    """Mean cross entropy of each codebook in nats, [K] in float32 on the device; NaN where no label counts.

    Served are the two layouts of Higgs Audio: ``logits`` [B, S, K V] beside ``audio_labels`` [B, T, K], and
    ``audio_logits`` [N, K, V] beside ``label_audio_ids`` [K, N]. None for others, and where something is missing. The
    batch may lie elsewhere than the logits, as where a wrapper of the model moves it.
    """
    audio, all_positions = field_of(outputs, "audio_logits"), field_of(outputs, "logits")
    if isinstance(audio, Tensor) and isinstance(batch.get("label_audio_ids"), Tensor):
        return _original(audio.detach(), _beside(audio, batch, _ORIGINAL), layout)
    if isinstance(all_positions, Tensor) and all(isinstance(batch.get(name), Tensor) for name in _EXPANDED):
        return _expanded(all_positions.detach(), _beside(all_positions, batch, _EXPANDED), layout)
    return None


def is_silent(batch: Mapping[str, Any], layout: Layout) -> bool:
    """Whether the batch has labels of audio for no frame at all, or none: it is one of text alone."""
    field = layout.named("audio-labels")
    labels = None if field is None else batch.get(field.name)
    return field is not None and (labels is None or (isinstance(labels, Tensor) and not labels.numel()))


def _beside(logits: Tensor, batch: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: to_device(batch[name], logits.device) for name in names if name in batch}


def _original(logits: Tensor, batch: Mapping[str, Any], layout: Layout) -> Tensor | None:
    """Segments lie side by side; the last column of each predicts nothing."""
    labels = batch["label_audio_ids"].T  # [N, K]
    if logits.ndim != len("NKV") or logits.shape[:2] != labels.shape or not len(labels):
        return None
    # One more, where a segment that has no column begins: an index beyond the end would kill a CUDA context.
    starts = torch.zeros(len(labels) + 1, dtype=torch.bool, device=labels.device)
    if isinstance(batch.get("audio_out_ids_start"), Tensor):
        starts = starts.index_fill(0, batch["audio_out_ids_start"].long().clamp(0, len(labels)), True)
    following = torch.where(starts[1:-1, None], layout.ignore_index, labels[1:])
    return _each(logits[:-1], following, layout.ignore_index)


def _expanded(logits: Tensor, batch: Mapping[str, Any], layout: Layout) -> Tensor | None:
    """Labels are laid beside the placeholders of the text, as transformers does it, and shifted within each row."""
    ids, labels, mask = batch["input_ids"], batch["audio_labels"], batch["audio_input_ids_mask"].bool()
    books = layout.num_codebooks
    if logits.ndim != len("BSV") or logits.shape[:2] != ids.shape or labels.shape != (*mask.shape, books):
        return None
    places = _is_any(ids, layout.placeholder_ids).flatten()
    order = torch.argsort(mask.flatten().logical_not().to(torch.uint8), stable=True)  # columns that count come first
    columns = labels.reshape(-1, books)[order]
    if not len(columns):
        return None
    rank = places.cumsum(0) - 1
    known = places & (rank < mask.sum())
    laid = columns[rank.clamp(0, len(columns) - 1)]
    laid = torch.where(known[:, None], laid, layout.ignore_index).view(*ids.shape, books)
    shaped = logits[:, :-1].reshape(-1, books, logits.shape[-1] // books)
    return _each(shaped, laid[:, 1:].reshape(-1, books), layout.ignore_index)


def _is_any(ids: Tensor, wanted: tuple[int, ...]) -> Tensor:
    found = torch.zeros_like(ids, dtype=torch.bool)
    for each in wanted:
        found |= ids == each
    return found


def _each(logits: Tensor, labels: Tensor, ignore: int) -> Tensor:
    """Codebook by codebook: float32 logits of all of them at once would be too large.

    What is no code is left out, for it is what the loop ignores, by whichever index; to cross entropy it would be an
    error, which kills a CUDA context.
    """
    labels = labels.long()
    labels = torch.where((labels >= 0) & (labels < logits.shape[-1]), labels, ignore)
    each = [
        cross_entropy(logits[:, book].float(), labels[:, book], ignore_index=ignore) for book in range(logits.shape[1])
    ]
    return torch.stack(each)
