"""Which losses a step has to offer: read from the outputs of a model, or recomputed from its logits and labels.

The audio loss of a step is, in this order: ``audio_loss`` of the outputs; the mean of their losses by codebook, of all
there are, though only the first 16 are watched one by one; the loss recomputed from logits and labels, where the
model's own loss holds text as well; the loss that the loop was given, or that of the outputs, as a mean over codebooks
where the family of the model sums over them.
"""

from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor

from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.losses.outputs import first, getter, number_of, read_codebooks, read_scalar
from audioloss_cli.training.losses.recompute import is_silent, recompute

#: Names under which outputs hold each of their losses, in the order in which they are tried.
AUDIO_NAMES = ("audio_loss", "loss_audio", "audio_ce_loss")
CODEBOOK_NAMES = ("codebook_losses", "audio_codebook_losses", "audio_losses", "codebook_loss")
TEXT_NAMES = ("llm_loss", "text_loss", "loss_text")
_OWN = ("loss",)
_Given = tuple[Any, Mapping[str, Any] | None, Layout | None]  # outputs, batch and layout


class Losses(dict[str, Any]):
    """Scalars by name: ``audio``, ``total``, ``text``, ``codebook/0``, ...; each a float or a 0-d tensor.

    The losses of codebooks that lie in one tensor on a device stay together: ``codebooks`` [K], K at most 16.

    Attributes:
        named: whether the outputs say which of their losses is that of the audio.
        own: names of those that are the ``loss`` of the outputs, whole or divided by the codebooks.
        odd: what cannot be read, in words.
        mixed: whether the own loss holds that of the text.
        anew: whether the audio loss was taken out of it, from logits and labels.
        silent: whether the batch is one of text alone.
    """

    named: bool = False  # of the class, for one is made at every step
    own: Collection[str] = ()
    odd: Collection[str] = ()
    mixed = anew = silent = False


def read_losses(
    loss: Any,
    outputs: Any = None,
    batch: Mapping[str, Any] | None = None,
    layout: Layout | None = None,
    *,
    again: bool = True,
) -> Losses:
    """What a micro-batch has to offer.

    Args:
        loss: of the loop; None if it gives none.
        outputs: of the model: a mapping or an object with attributes.
        batch: what the model was given, for a loss that must be recomputed.
        layout: of the model's family, if it is known.
        again: whether a loss that holds text may be taken apart by recomputing; if not, it is the ``total``, and there
            is no ``audio``.
    """
    if outputs is None:
        return Losses() if loss is None else Losses(audio=loss)
    get, odd = getter(outputs), list[str]()
    books, mean = read_codebooks(get, CODEBOOK_NAMES, odd)
    found = Losses(books)
    text, own = read_scalar(get, TEXT_NAMES, odd), read_scalar(get, _OWN, odd)
    audio = read_scalar(get, AUDIO_NAMES, odd)
    audio = mean if audio is None else audio
    if audio is not None:
        _named(found, audio, loss, own)
    elif loss is not None and loss is not own:
        found["audio"] = loss
    else:
        _unnamed(found, own, (outputs, batch, layout), odd, again=again)
    if text is not None:
        found["text"] = text
    if odd:
        found.odd = odd
    return found


def names_audio(outputs: Any) -> bool:
    """Whether the outputs say which of their losses is that of the audio."""
    return first(getter(outputs), (*AUDIO_NAMES, *CODEBOOK_NAMES))[1] is not None


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


def _unnamed(found: Losses, own: Any, given: _Given, odd: list[str], *, again: bool) -> None:
    """The model's own loss, or the part of it that is the audio's."""
    outputs, batch, layout = given
    if layout is not None and batch is not None:
        mixed = found.mixed = _holds_text(batch, layout)
        found.silent = mixed and is_silent(batch, layout)
        if mixed and own is not None and (not again or found.silent):
            found["total"], found.own = own, ("total",)
            return
        anew = _anew(outputs, batch, layout, odd) if mixed or own is None else None
        if anew is not None:
            books, mean = read_codebooks(lambda name: anew, ("",), odd)
            found.update({**books, "audio": mean})
            found.anew = True
            if own is not None:
                found["total"], found.own = own, ("total",)
            return
        if own is not None and not mixed and layout.reduction == "sum":
            own = _mean(own, layout.num_codebooks)
    if own is not None:
        found["audio"], found.own = own, ("audio",)


def _anew(outputs: Any, batch: Mapping[str, Any], layout: Layout, odd: list[str]) -> Any:
    """From logits and labels, if that can be; what fails there does not cost the loss that is trained."""
    try:
        return recompute(outputs, batch, layout)
    except Exception as error:  # noqa: BLE001  # outputs and batches that nobody foresaw
        said = " ".join(str(error).split())[:200]
        odd.append(f"not recomputed from logits and labels: {type(error).__name__}: {said}")
        return None


def _mean(total: Any, codebooks: int) -> Any:
    """On the CPU in float64, so that it is the same number by whichever way it is read."""
    total = number_of(total)
    return (total.detach() if isinstance(total, Tensor) else total) / codebooks


def _holds_text(batch: Mapping[str, Any], layout: Layout) -> bool:
    labels = layout.named("text-labels")
    return labels is not None and batch.get(labels.name) is not None
