"""What an adapter is: it brings the batches and outputs of one model family into one form."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from audioloss_cli.probe.model_io.layout import Field, Layout

Batch = Mapping[str, Any]
Model = Callable[..., Any]
Config = Mapping[str, Any]

_IDS = frozenset(
    {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8}
    | {torch.float64, torch.float32, torch.float16, torch.bfloat16}  # told as wrong, and looked at all the same
)
_NUMBERS = _IDS | {torch.bool, torch.uint16, torch.uint32, torch.uint64}
_AUDIO_LOSSES = ("audio_loss", "loss_audio", "speech_loss", "codebook_loss", "codec_loss", "depth_loss")
_TEXT_LOSSES = ("llm_loss", "text_loss", "loss_text", "lm_loss")
_NUMBERS |= {getattr(torch, name) for name in dir(torch) if name.startswith("float8_")}


class Output(NamedTuple):
    """What one forward pass gave.

    Attributes:
        logits: [M, K, V] floating, a view of what the model gave; None if the output holds none.
        loss: 0-d, the audio loss as the model reports it; None if it reports none.
        rows: [N] int64, the row of ``logits`` that belongs to each audio column of the batch; None: each its own.
        total: 0-d, the loss of the whole that the model returns; None if it returns none, or ``loss`` is all of it.
    """

    logits: Tensor | None
    loss: Tensor | None
    rows: Tensor | None = None
    total: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about a model whose adapter cannot know it; None or empty: not said.

    Attributes:
        logits_key, loss_key: where the output holds them (a key or attribute; dots descend).
        codes_key, labels_key: where the batch holds audio codes and audio labels.
        layout: axes of codes and labels, of ``B``, ``K``, ``T``: such as ``BKT``, ``BTK``, ``KT``.
        codes_layout, labels_layout: the same of one of the two, where they differ.
        codes_first, labels_first: entries along ``K`` before the first codebook, such as a row of text.
        logits_layout: axes of the logits, of ``B``, ``K``, ``T``, ``V``: as in ``BTKV``, ``BKTV``, ``TKV``; letters in
            brackets share one axis: ``(BK)TV``, ``BT(KV)``.
        logits_prefix: columns of the logits before that of the first label, such as those of a prompt.
        vocab_size: ids of one codebook.
        first_id: the id at which those of the audio begin, in a vocabulary that they share with the text.
        ignore_index, shift, num_codebooks, bos, eos, pad, delayed: see ``Layout``.
    """

    logits_key: str = ""
    loss_key: str = ""
    codes_key: str = ""
    labels_key: str = ""
    layout: str = ""
    logits_layout: str = ""
    ignore_index: int | None = None
    shift: int | None = None
    num_codebooks: int | None = None
    bos: int | None = None
    eos: int | None = None
    pad: int | None = None
    codes_layout: str = ""
    labels_layout: str = ""
    codes_first: int | None = None
    labels_first: int | None = None
    logits_prefix: int | None = None
    vocab_size: int | None = None
    first_id: int | None = None
    delayed: bool | None = None


class Adapter(Protocol):
    """One model family, made from a configuration: module-level ``serves(config) -> bool`` and a class ``Adapter``.

    Everything about audio is in rows: N is the number of audio columns of the batch, in the order of the samples and,
    within them, of time; K is the number of codebooks. Whatever the batch lacks is None, never an exception.

    Attributes:
        layout: what the family declares.
    """

    layout: Layout

    def __init__(self, config: Config, options: Options) -> None: ...

    def codes(self, batch: Batch) -> Tensor | None:
        """[N, K] int64: the audio codes that are fed in."""
        ...

    def labels(self, batch: Batch) -> Tensor | None:
        """[N, K] int64: the audio labels, in the batch's own alignment with the codes."""
        ...

    def segments(self, batch: Batch) -> Tensor | None:
        """[N] int64, never falling: which stretch of audio a row belongs to."""
        ...

    def samples(self, batch: Batch) -> Tensor | None:
        """[N] int64, never falling: which sample of the batch a row belongs to."""
        ...

    def placeholders(self, batch: Batch) -> tuple[list[int], list[int]] | None:
        """Of each sample: audio placeholders in its text, and what its audio needs; None where one is unknown."""
        ...

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """A copy of the batch with other codes fed in, [N, K]; the original stays as it is."""
        ...

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """One forward pass over a batch that lies on the model's device.

        Raises:
            Exception: whatever the model raises.
        """
        ...


def to_device(value: Any, device: torch.device, *, wait: bool = True) -> Any:
    """Tensors in dicts, lists and tuples, moved; everything else as it is.

    To the host it waits: there a copy that does not would be read before it has come. Without ``wait`` it does not, and
    the caller must know when that is.
    """
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=not wait or device.type != "cpu")
    if isinstance(value, Mapping):
        return {key: to_device(item, device, wait=wait) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        moved = [to_device(item, device, wait=wait) for item in value]
        return type(value)(*moved) if hasattr(value, "_fields") else type(value)(moved)  # a named tuple takes each
    return value


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands in a batch in place of a tensor that nothing can be computed of.

    Attributes:
        what: its dtype or its layout, such as ``complex64`` or ``sparse_coo``.
    """

    what: str


def readable(batch: Batch, layout: Layout) -> Batch:
    """The batch, with an ``Unreadable`` under each key of the layout whose tensor no check could look at.

    That is one that is complex, sparse, nested, quantised or without values (meta), and, where ids must be, one of a
    dtype that torch can hardly compare: bool, float8 and the wide unsigned ones.
    """
    odd = {item.name: what for item in layout.fields if (what := _oddity(batch.get(item.name), item.kind))}
    return {**batch, **{name: Unreadable(what) for name, what in odd.items()}} if odd else batch


def _oddity(value: Any, kind: str = "") -> str:
    if not isinstance(value, Tensor):
        return ""
    if value.is_nested:
        return "nested"
    if value.layout is not torch.strided:
        return str(value.layout).removeprefix("torch.")
    if value.is_meta:
        return "on the meta device, without values"
    known = _IDS if kind == "integer" else _NUMBERS
    return "" if value.dtype in known else str(value.dtype).removeprefix("torch.")


def tensor(batch: Batch, name: str) -> Tensor | None:
    """The tensor under a key, None if it holds nothing or what nothing can be computed of."""
    found = batch.get(name)
    return found if isinstance(found, Tensor) and not _oddity(found) else None


def taken(batch: Batch, names: Iterable[str], layout: Layout) -> dict[str, Any]:
    """Those of the names that the batch holds, in the dtypes that indexing and cross entropy insist on.

    Integers and masks that went through a file or an array may have come back in another dtype.
    """
    kinds = {item.name: item for item in layout.fields}
    return {name: _cast(batch[name], kinds.get(name)) for name in names if batch.get(name) is not None}


def _cast(value: Any, item: Field | None) -> Any:
    if item is None or not isinstance(value, Tensor) or value.is_floating_point() or value.is_complex():
        return value
    if item.role == "codes-mask":
        return value.bool()
    return value.long() if item.kind == "integer" else value


def runs_of(flags: Tensor) -> Tensor:
    """For each true cell of [B, S] bool, row-major: which stretch of neighbours in a row it belongs to; [N] int64."""
    before = torch.zeros_like(flags)
    before[:, 1:] = flags[:, :-1]
    return (flags & ~before).flatten().cumsum(0)[flags.flatten()] - 1


def rows_of(flags: Tensor) -> Tensor:
    """For each true cell of [B, S] bool, row-major: its row; [N] int64."""
    return torch.arange(flags.shape[0], device=flags.device)[:, None].expand_as(flags)[flags]


def losses_of(output: Any, loss_key: str = "") -> tuple[Tensor | None, Tensor | None]:
    """The audio loss that an output holds, and the loss of the whole; each None if there is none.

    The audio loss goes by a name of its own; else it is what the whole holds beside a text loss that is named.
    """
    if loss_key:
        found = field_of(output, loss_key)
        return (found if isinstance(found, Tensor) else None), None
    total, audio, text = (_first(output, names) for names in (("loss",), _AUDIO_LOSSES, _TEXT_LOSSES))
    if audio is None and total is not None and text is not None:
        audio = total - text.to(total.device)
    return audio, total


def _first(output: Any, names: Iterable[str]) -> Tensor | None:
    found = (field_of(output, name) for name in names)
    return next((each for each in found if isinstance(each, Tensor) and each.numel()), None)


def field_of(output: Any, path: str) -> Any:
    """What an output holds under a key, an attribute or an index, dots descend; None if nothing."""
    for part in path.split("."):
        if isinstance(output, Mapping):
            output = output.get(part)
        elif isinstance(output, (list, tuple)) and part.isdecimal() and int(part) < len(output):
            output = output[int(part)]
        else:
            output = getattr(output, part, None)
        if output is None:
            return None
    return output
