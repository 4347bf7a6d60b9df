"""The audio loss from logits and labels, at label offsets 0, 1 and 2; on the device and without a wait for it.

Boolean indexing would be the obvious way; its result has a size that only the device knows, so that the host must wait.
Here rows are put in order by a stable sort instead, and what does not count is labelled with the ignored index.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from audioloss_cli.probe.measure.alignment import real_codes, shifted
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.model_io.adapter import Adapter, field_of, to_device
from audioloss_cli.probe.model_io.layout import Layout

_EXPANDED = ("input_ids", "audio_labels", "audio_input_ids_mask", "audio_input_ids")
_OFFSETS = (0, 1, 2)
_ORIGINAL = ("label_audio_ids", "audio_out_ids_start", "audio_out_ids")


class Rows(NamedTuple):
    """Audio logits beside their labels.

    Attributes:
        logits: [N, K, V], as the model gave them.
        labels: [N, K], at their own positions.
        groups: [N], rows that follow each other.
        codes: [N, K], what was fed in at these positions; None if the batch does not say.
    """

    logits: Tensor
    labels: Tensor
    groups: Tensor
    codes: Tensor | None = None


class AtOffsets(NamedTuple):
    """Cross entropies [K] in nats against the code fed in, the next one and the one after.

    Attributes:
        within: of labels of the same segment alone.
        across: of those of the next segment as well, as a loss has it that shifts the whole batch at once.
    """

    within: tuple[Tensor, ...]
    across: tuple[Tensor, ...]


@torch.no_grad()
def recompute(outputs: Any, batch: Mapping[str, Any], layout: Layout) -> Tensor | None:
    """Mean cross entropy of each codebook in nats, [K] in float32 on the device; NaN where no label counts.

    Served are the two layouts of Higgs Audio: ``logits`` [B, S, K V] beside ``audio_labels`` [B, T, K], and
    ``audio_logits`` [N, K, V] beside ``label_audio_ids`` [K, N]. None for others, and where something is missing. The
    batch may lie elsewhere than the logits, as where a wrapper of the model moves it.
    """
    rows = rows_of(outputs, batch, layout)
    return None if rows is None else _each(rows, (1,), layout.ignore_index).within[0]


@torch.no_grad()
def by_offset(
    outputs: Any, batch: Mapping[str, Any], layout: Layout, adapter: Adapter | None = None, *, wait: bool = True
) -> AtOffsets | None:
    """Cross entropy of each codebook against the code fed in, the next one and the one after; None if unknown.

    The codes tell where the labels stand beside them, as a collator may have shifted them.

    Args:
        outputs: of the model.
        batch: what it was given.
        layout: of its family.
        adapter: of the same, for other families than those of Higgs Audio.
        wait: whether the host may look into what lies on it.
    """
    rows = rows_of(outputs, batch, layout)
    if rows is None and adapter is not None:
        rows = _by_adapter(outputs, batch, adapter, wait=wait)
    if rows is None:
        return None
    ahead = _are_ahead(rows, layout)
    if ahead is None:
        return _each(rows, _OFFSETS, layout.ignore_index)
    found = _each(rows, (-1, *_OFFSETS), layout.ignore_index)  # a device alone may know which three of them are asked
    return AtOffsets(*(_chosen(ahead, each) for each in found))


def _are_ahead(rows: Rows, layout: Layout) -> Tensor | None:
    """Whether the collator has shifted the labels by one position, [] bool on the device; None if unknown."""
    labels, codes = rows.labels, rows.codes
    if codes is None or codes.shape != labels.shape:
        return None
    telling = (labels != layout.ignore_index) & real_codes(labels, layout)
    own, following = ((labels == shifted(codes, rows.groups, each, -1)) & telling for each in (0, 1))
    return following.sum() > own.sum()


def _chosen(ahead: Tensor, each: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Of four offsets three: from the first one on if the labels are ahead, else from the second one on."""
    return tuple(torch.where(ahead, one, other) for one, other in pairwise(each))


def rows_of(outputs: Any, batch: Mapping[str, Any], layout: Layout) -> Rows | None:
    """Logits and labels of the two layouts of Higgs Audio, laid side by side; None for others."""
    audio, all_positions = field_of(outputs, "audio_logits"), field_of(outputs, "logits")
    if isinstance(audio, Tensor) and isinstance(batch.get("label_audio_ids"), Tensor):
        return _original(audio.detach(), _beside(audio, batch, _ORIGINAL), layout)
    if isinstance(all_positions, Tensor) and all(isinstance(batch.get(name), Tensor) for name in _EXPANDED[:3]):
        return _expanded(all_positions.detach(), _beside(all_positions, batch, _EXPANDED), layout)
    return None


def is_silent(batch: Mapping[str, Any], layout: Layout) -> bool:
    """Whether the batch has labels of audio for no frame at all, or none: it is one of text alone."""
    field = layout.named("audio-labels")
    labels = None if field is None else batch.get(field.name)
    return field is not None and (labels is None or (isinstance(labels, Tensor) and not labels.numel()))


def _beside(logits: Tensor, batch: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: to_device(batch[name], logits.device) for name in names if name in batch}


def _original(logits: Tensor, batch: Mapping[str, Any], layout: Layout) -> Rows | None:
    """Segments lie side by side; the last column of each predicts nothing."""
    labels = batch["label_audio_ids"].transpose(0, 1)  # [N, K]
    if logits.ndim != len("NKV") or logits.shape[:2] != labels.shape or not len(labels):
        return None
    # One more, where a segment that has no column begins: an index beyond the end would kill a CUDA context.
    starts = labels.new_zeros(len(labels) + 1, dtype=torch.long)
    if isinstance(batch.get("audio_out_ids_start"), Tensor):
        starts = starts.index_fill(0, batch["audio_out_ids_start"].long().clamp(0, len(labels)), 1)
    segments = starts[:-1].cumsum(0)
    codes = batch.get("audio_out_ids")
    beside = codes.transpose(0, 1) if isinstance(codes, Tensor) and codes.ndim == labels.ndim else None
    return Rows(logits, labels, segments, beside)


def _expanded(logits: Tensor, batch: Mapping[str, Any], layout: Layout) -> Rows | None:
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
    fed = batch.get("audio_input_ids")
    codes = fed.reshape(-1, books)[order] if isinstance(fed, Tensor) and fed.shape == labels.shape else None
    rank = places.cumsum(0) - 1
    known = places & (rank < mask.sum())
    beside = rank.clamp(0, len(columns) - 1)
    laid = torch.where(known[:, None], columns[beside], layout.ignore_index)
    codes = None if codes is None else torch.where(known[:, None], codes[beside], -1)
    texts = torch.ones_like(ids).cumsum(0).flatten()
    return Rows(logits.reshape(-1, books, logits.shape[-1] // books), laid, texts, codes)


def _by_adapter(outputs: Any, batch: Mapping[str, Any], adapter: Adapter, *, wait: bool) -> Rows | None:
    """The rows of any family, as its adapter finds them in outputs that are there already.

    On a device every cell is one, and those that do not count have no label: how many count, the device knows alone.
    """
    if not wait or any(isinstance(value, Tensor) and not value.is_cpu for value in batch.values()):
        laid_out = getattr(adapter, "laid_out", None)
        found = None if laid_out is None else laid_out(outputs, batch)
        return None if found is None else Rows(found[0].detach(), *found[1:])
    found = adapter.run(lambda **_: outputs, batch)
    audio = read_audio(adapter, batch)
    if found.logits is None or audio.labels is None or audio.segments is None or not found.logits.is_cpu:
        return None
    logits = found.logits.detach() if found.rows is None else found.logits.detach()[found.rows]
    if logits.shape[:2] != audio.labels.shape or not len(logits):
        return None
    return Rows(logits, audio.labels, audio.segments, audio.codes)


def _is_any(ids: Tensor, wanted: tuple[int, ...]) -> Tensor:
    found = torch.zeros_like(ids, dtype=torch.bool)
    for each in wanted:
        found |= ids == each
    return found


def _each(rows: Rows, offsets: tuple[int, ...], ignore: int) -> AtOffsets:
    """At each offset, [K]. Codebook by codebook: float32 logits of all of them at once would be too large.

    What is no code is left out, for it is what the loop ignores, by whichever index; to cross entropy it would be an
    error, which kills a CUDA context.

    Raises:
        TypeError: for complex logits, of which torch would take the real part with a warning alone.
    """
    logits, size = rows.logits, rows.logits.shape[-1]
    if logits.is_complex():
        raise TypeError(f"logits of {logits.dtype} are no real numbers")
    own = rows.labels.long()
    own = torch.where((own >= 0) & (own < size), own, ignore)
    one = torch.zeros_like(rows.groups)
    within = [shifted(own, rows.groups, offset, ignore) != ignore for offset in offsets]
    labels = [shifted(own, one, offset, ignore) for offset in offsets]
    found: list[tuple[list[Tensor], list[Tensor]]] = [([], []) for _ in offsets]
    for book in range(logits.shape[1]):
        wide = logits[:, book].float()
        for each, same, means in zip(labels, within, found, strict=True):
            costs = cross_entropy(wide, each[:, book], ignore_index=ignore, reduction="none")
            for counts, mean in zip((same[:, book], each[:, book] != ignore), means, strict=True):
                mean.append((costs * counts).sum() / counts.sum())
    return AtOffsets(*(tuple(torch.stack(each[place]) for each in found) for place in (0, 1)))
