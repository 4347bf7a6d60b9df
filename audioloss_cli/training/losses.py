"""Which losses a step has to offer: read from the outputs of a model, or recomputed from its logits and labels.

The audio loss of a step is, in this order: ``audio_loss`` of the outputs; the mean of their losses by codebook; the
loss recomputed from logits and labels, where the model's own loss holds text as well; the loss that the loop was given,
or that of the outputs, as a mean over codebooks where the family of the model sums over them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from audioloss_cli.probe.layout import Layout
from audioloss_cli.training.recompute import recompute
from audioloss_cli.training.slots import CODEBOOKS, TOGETHER

Get = Callable[[str], Any]

#: Names under which outputs hold each of their losses, in the order in which they are tried.
AUDIO_NAMES = ("audio_loss", "loss_audio", "audio_ce_loss")
CODEBOOK_NAMES = ("codebook_losses", "audio_codebook_losses", "audio_losses", "codebook_loss")
TEXT_NAMES = ("llm_loss", "text_loss", "loss_text")


def read_losses(
    loss: Any,
    outputs: Any = None,
    batch: Mapping[str, Any] | None = None,
    layout: Layout | None = None,
    *,
    again: bool = True,
) -> dict[str, Any]:
    """Scalars by name: ``audio``, ``total``, ``text``, ``codebook/0``, ...; each a float or a 0-d tensor.

    The losses of codebooks that lie in one tensor on a device stay together: ``codebooks`` [K].

    Args:
        loss: of the loop; None if it gives none.
        outputs: of the model: a mapping or an object with attributes.
        batch: what the model was given, for a loss that must be recomputed.
        layout: of the model's family, if it is known.
        again: whether a loss that holds text may be taken apart by recomputing; if not, it is the ``total``, and there
            is no ``audio``.
    """
    if outputs is None:
        return {} if loss is None else {"audio": loss}
    get = getter(outputs)
    found: dict[str, Any] = {}
    books = _first(get, CODEBOOK_NAMES)
    if books is not None:
        found = _by_codebook(books)
    text, own, audio = _scalar(get, TEXT_NAMES), _scalar(get, ("loss",)), _scalar(get, AUDIO_NAMES)
    if audio is None and found:
        far = isinstance(books, Tensor) and not books.is_cpu
        audio = books.detach().mean() if far else sum(found.values()) / len(found)
    if audio is None:
        if not again and own is not None and _is_mixed(loss, own, batch, layout):
            return {"total": own}
        audio = _unnamed(loss, own, outputs, batch, layout)
    else:
        total = own if loss is None else loss
        if total is not None and total is not audio:
            found["total"] = total
    if audio is not None:
        found["audio"] = audio
    if text is not None:
        found["text"] = text
    return found


def names_audio(outputs: Any) -> bool:
    """Whether the outputs say which of their losses is that of the audio."""
    return _first(getter(outputs), (*AUDIO_NAMES, *CODEBOOK_NAMES)) is not None


def _is_mixed(loss: Any, own: Any, batch: Mapping[str, Any] | None, layout: Layout | None) -> bool:
    """Whether the model's own loss holds text as well."""
    theirs = loss is None or loss is own
    return theirs and layout is not None and batch is not None and _holds_text(batch, layout)


def _unnamed(loss: Any, own: Any, outputs: Any, batch: Mapping[str, Any] | None, layout: Layout | None) -> Any:
    """The audio loss of outputs that do not name one."""
    theirs = loss is None or loss is own
    if not theirs or layout is None or batch is None:
        return own if loss is None else loss
    if own is None or _holds_text(batch, layout):
        again = recompute(outputs, batch, layout)
        return again if again is not None else own
    return _mean(own, layout.num_codebooks) if layout.reduction == "sum" else own


def _mean(total: Any, codebooks: int) -> Any:
    """On the CPU in float64, so that it is the same number by whichever way it is read."""
    if isinstance(total, Tensor):
        total = total.detach()
        total = total.double() if total.is_cpu else total
    return total / codebooks


def _holds_text(batch: Mapping[str, Any], layout: Layout) -> bool:
    labels = layout.named("text-labels")
    return labels is not None and batch.get(labels.name) is not None


def _by_codebook(books: Any) -> dict[str, Any]:
    """[K], or a list of K scalars."""
    if isinstance(books, Tensor) and (books.ndim != 1 or not len(books)):
        return {}
    if isinstance(books, Tensor):
        if not books.is_cpu:
            return {TOGETHER: books.detach()[: len(CODEBOOKS)]}
        books = books.tolist()
    each = list(books)
    return dict(zip(CODEBOOKS, each, strict=False))


def getter(outputs: Any) -> Get:
    """Name -> what the outputs hold under it, None for nothing; a plain function, for it is called at every step.

    A tuple is that of a model that returns no mapping: its loss comes first, as transformers has it.
    """
    if isinstance(outputs, Mapping):  # ModelOutput of transformers is one
        return outputs.get
    if type(outputs) is tuple:
        outputs = {"loss": outputs[0]} if outputs and isinstance(outputs[0], Tensor) else {}
        return outputs.get  # type: ignore[no-any-return]
    return lambda name: getattr(outputs, name, None)


def _first(get: Get, names: tuple[str, ...]) -> Any:
    for name in names:
        found = get(name)
        if found is not None:
            return found
    return None


def _scalar(get: Get, names: tuple[str, ...]) -> Any:
    """A loss that is not reduced, one for each token, is none that can be watched."""
    found = _first(get, names)
    return None if isinstance(found, Tensor) and found.numel() != 1 else found
