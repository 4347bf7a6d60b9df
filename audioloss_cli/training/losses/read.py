"""Which losses a step has to offer: read from the outputs of a model, or recomputed from its logits and labels.

The audio loss of a step is, in this order: ``audio_loss`` of the outputs; the mean of their losses by codebook, of all
there are, though only the first 16 are watched one by one; the mean of their parts, such as ``backbone_loss`` and
``decoder_loss``; where the model's own loss holds text as well, the own loss without the text loss, if that was seen to
be what logits and labels give, else the loss recomputed from these; the loss that the loop was given, or that of the
outputs, as a mean over codebooks where the family of the model sums over them. Beside it stands the audio part of what
is trained, for ``agreement``: the same, or the total without the text loss.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor

from audioloss_cli.probe.model_io.adapter import Adapter
from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.losses.outputs import PARTS, held_by, mean_of, number_of, read_codebooks, read_scalar
from audioloss_cli.training.losses.recompute import AtOffsets, by_offset, is_silent, recompute
from audioloss_cli.training.transport.scalar_layout import (
    ACROSS,
    AT_OFFSETS,
    BOUND,
    CODEBOOKS,
    MEASURED,
    MEASURED_TOGETHER,
    PART,
    TOGETHER,
)

_AS_MEASURED = {TOGETHER: MEASURED_TOGETHER, **dict(zip(CODEBOOKS, MEASURED, strict=True))}
_COUNT = "num_items_in_batch"  # over which the model's own loss is a sum, divided by that; it is not of the batch


class Losses(dict[str, Any]):
    """Scalars by name: ``audio``, ``total``, ``text``, ``codebook/0``, ...; each a float or a 0-d tensor.

    The losses of codebooks that lie in one tensor on a device stay together: ``codebooks`` [K], K at most 16.

    Attributes:
        named: whether the outputs say which of their losses is that of the audio.
        own: names of those that are the ``loss`` of the outputs, whole or divided by the codebooks.
        odd: what cannot be read, in words.
        mixed: whether the own loss holds that of the text.
        anew: whether the audio loss was taken out of it, from logits and labels.
        apart: whether it is the own loss without that of the text.
        silent: whether the batch is one of text alone.
        measured: cross entropies at label offsets 0, 1 and 2; None where they were not asked for.
    """

    named: bool = False  # of the class, for one is made at every step
    own: Collection[str] = ()
    odd: Collection[str] = ()
    mixed = anew = apart = silent = False
    measured: AtOffsets | None = None


def read_losses(
    loss: Any,
    outputs: Any = None,
    batch: Mapping[str, Any] | None = None,
    layout: Layout | None = None,
    *,
    again: bool = True,
    adapter: Adapter | None = None,
    measure: bool = False,
    wait: bool = True,
    difference: bool = False,
) -> Losses:
    """What a micro-batch has to offer.

    Args:
        loss: of the loop; None if it gives none.
        outputs: of the model: a mapping or an object with attributes.
        batch: what the model was given, for a loss that must be recomputed.
        layout: of the model's family, if it is known.
        again: whether a loss that holds text may be taken apart by recomputing; if not, it is the ``total``, and there
            is no ``audio``.
        adapter: of the family, to measure other families than those of Higgs Audio.
        measure: whether the cross entropies at several label offsets are measured, see ``agreement``.
        wait: whether the host may look into the losses, and into what it measures.
        difference: whether the own loss without that of the text was seen to be the audio loss.
    """
    if outputs is None:
        return Losses() if loss is None else Losses(audio=loss)
    odd: list[str] = []  # to call ``list[str]`` takes ten times as long
    held, parts = held_by(outputs)
    books, mean = read_codebooks(*held["codebooks"], odd) if "codebooks" in held else ({}, None)
    found = Losses(books)
    text = read_scalar(*held["text"], odd, wait=wait) if "text" in held else None
    own = read_scalar(*held["own"], odd, wait=wait) if "own" in held else None
    audio = read_scalar(*held["audio"], odd, wait=wait) if "audio" in held else None
    # One tensor under two names is one loss, and one number once it is read.
    if own is not None:
        given = held["own"][1]
        loss = own if loss is given else loss
        audio = own if audio is not None and held["audio"][1] is given else audio
    if audio is not None and loss is held["audio"][1]:
        loss = audio
    if audio is None and mean is not None:
        audio = _rescaled(found, mean, loss, own)
    audio = _of_parts(parts) if audio is None and parts else audio
    if measure and layout is not None and batch is not None:
        _measure(found, outputs, batch, layout, adapter, wait=wait)
    if audio is not None:
        _named(found, audio, loss, own)
    elif loss is not None and loss is not own:
        found["audio"] = loss
    else:
        rest = (
            _without(own, text) if difference and own is not None and text is not None and not _is_sum(batch) else None
        )
        _unnamed(found, own, rest, outputs, batch, layout, odd, again=again)
    if text is not None:
        found["text"] = text
    if found.measured is not None:
        _trained(found, batch)
    found.odd = odd or ()
    return found


def names_audio(outputs: Any) -> bool:
    """Whether the outputs say which of their losses is that of the audio."""
    held, _ = held_by(outputs)
    return "audio" in held or "codebooks" in held


def own_loss_of(outputs: Any) -> Any:
    """The ``loss`` that a model gives; None if it gives none."""
    if isinstance(outputs, dict):
        return dict.get(outputs, "loss")  # that of ``ModelOutput`` takes four times as long
    if isinstance(outputs, Mapping):
        return outputs.get("loss")
    if type(outputs) is tuple:
        return outputs[0] if outputs and isinstance(outputs[0], Tensor) else None
    return getattr(outputs, "loss", None)


def _of_parts(parts: Mapping[str, Any]) -> Any:
    """The mean of those that belong together; None if some are missing or none is one number."""
    names = next((names for names in PARTS if all(name in parts for name in names)), ())
    each = [read_scalar(name, parts[name], []) for name in names]
    return mean_of(each) if each and all(value is not None for value in each) else None


def _rescaled(found: Losses, mean: Any, loss: Any, own: Any) -> Any:
    """The mean over codebooks; where it is the model's own loss, and the loop divides that, what the loop made of it.

    Sums over tokens are no nats: ``outputs.loss / tokens`` is what is trained, and the codebooks are divided alike.
    """
    if loss is None or own is None or loss is own:
        return mean
    given = [number_of(value) for value in (mean, loss, own)]
    if not all(isinstance(value, float) for value in given):
        return mean
    whole, trained, model = given
    if not model or not abs(whole - model) <= 0.01 * abs(model):
        return mean
    for name, value in found.items():
        found[name] = number_of(value) * trained / model
    return loss


def _measure(
    found: Losses, outputs: Any, batch: Mapping[str, Any], layout: Layout, adapter: Adapter | None, *, wait: bool
) -> None:
    try:
        found.measured = by_offset(outputs, batch, layout, adapter, wait=wait)
    except Exception:  # noqa: BLE001  # outputs and batches that nobody foresaw: they are not compared
        found.measured = None
    if found.measured is not None and layout.shift == 1:
        for names, measured in zip((AT_OFFSETS, ACROSS), found.measured, strict=True):
            found.update(zip(names, (each.nanmean() for each in measured), strict=True))
    if found.measured is not None:
        books, _ = read_codebooks("", found.measured.within[layout.shift], [])
        found.update({_AS_MEASURED[name]: value for name, value in books.items()})


def _trained(found: Losses, batch: Mapping[str, Any] | None) -> None:
    """The audio part of what is trained; or a total, which is no smaller."""
    counted = _is_sum(batch)
    if "audio" in found and not found.anew:
        found[PART] = found["audio"]
    elif "total" in found and "text" in found and not counted:
        found[PART] = _without(found["total"], found["text"])
    elif "total" in found and not counted:
        found[BOUND] = found["total"]


def _is_sum(batch: Mapping[str, Any] | None) -> bool:
    """Whether the model's own loss is divided by the items of a whole step."""
    return batch is not None and batch.get(_COUNT) is not None


def _without(total: Any, text: Any) -> Any:
    total, text = (value.detach() if isinstance(value, Tensor) else value for value in map(number_of, (total, text)))
    return total - text


def _named(found: Losses, audio: Any, loss: Any, own: Any) -> None:
    """The audio loss that the outputs name, beside the total."""
    found.named, found["audio"] = True, audio
    total = own if loss is None else loss
    if audio is own:
        found.own = ("audio",)
    if total is not None and total is not audio:
        found["total"] = total
        if total is own:
            found.own = ("total",)


def _unnamed(
    found: Losses,
    own: Any,
    rest: Any,
    outputs: Any,
    batch: Mapping[str, Any] | None,
    layout: Layout | None,
    odd: list[str],
    *,
    again: bool,
) -> None:
    """The model's own loss, or the part of it that is the audio's; ``rest``: that without the text, if it is that."""
    if layout is not None and batch is not None:
        labels = layout.named("text-labels")
        mixed = found.mixed = labels is not None and batch.get(labels.name) is not None
        found.silent = mixed and is_silent(batch, layout)
        # Exactly nothing may be a batch without any label: that is for logits and labels to tell.
        again = again or (type(rest) is float and rest == 0)
        if mixed and own is not None and (not (again or found.measured) or found.silent):
            found["total"], found.own = own, ("total",)
            if rest is not None and not found.silent:
                found["audio"], found.apart = rest, True
            return
        anew = _anew(found, outputs, batch, layout, odd) if mixed or own is None else None
        if anew is not None:
            books, mean = read_codebooks("", anew, odd)
            found.update({**books, "audio": mean})
            found.anew = True
            if rest is not None and not _is_no_number(mean):
                found["audio"] = rest
            if own is not None:
                found["total"], found.own = own, ("total",)
            return
        if own is not None and not mixed and layout.reduction == "sum":
            own = _mean(own, layout.num_codebooks)
    if own is not None:
        found["audio"], found.own = own, ("audio",)


def _anew(found: Losses, outputs: Any, batch: Mapping[str, Any], layout: Layout, odd: list[str]) -> Any:
    """From logits and labels, if that can be; what fails there does not cost the loss that is trained."""
    if found.measured is not None:
        return found.measured.within[layout.shift]
    try:
        return recompute(outputs, batch, layout)
    except Exception as error:  # noqa: BLE001  # outputs and batches that nobody foresaw
        said = " ".join(str(error).split())[:200]
        odd.append(f"not recomputed from logits and labels: {type(error).__name__}: {said}")
        return None


def _is_no_number(mean: Any) -> bool:
    """Of labels of which none counts, where that can be told without a wait; NaN is then the loss."""
    return isinstance(mean, float) and not math.isfinite(mean)


def _mean(total: Any, codebooks: int) -> Any:
    """On the CPU in float64, so that it is the same number by whichever way it is read."""
    if type(total) is not float:
        total = number_of(total)
    return (total.detach() if isinstance(total, Tensor) else total) / codebooks
