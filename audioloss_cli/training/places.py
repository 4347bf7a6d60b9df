"""Where outputs hold their losses, found once for each kind of outputs: to try every name costs more than to read."""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from audioloss_cli.probe.model_io.layout import Layout
from audioloss_cli.training.losses import AUDIO_NAMES, CODEBOOK_NAMES, TEXT_NAMES


@dataclass(frozen=True, slots=True)
class Places:
    """Where outputs of one kind hold their losses; empty names for what they have not.

    Attributes:
        kind, keys: of the outputs for which this holds.
        plain: the kind again, if its own loss is all that its outputs can hold, as an attribute among so many; then how
            many, ``text_labels`` and ``summed``. Most models give such outputs. Whoever puts another loss into them
            adds an attribute.
        audio, codebooks, text: names of entries.
        text_labels: key of a batch; where it is there, the model's own loss holds text as well.
        summed: codebooks over which the model's own loss is a sum; 1 for a mean.
    """

    kind: Any
    keys: tuple[str, ...]
    plain: tuple[Any, int, str, int] = (None, 0, "", 1)
    audio: str = ""
    codebooks: str = ""
    text: str = ""
    text_labels: str = ""
    summed: int = 1


NO_PLACES = Places(type(None), ())


def places_of(outputs: Any, layout: Layout | None, *, named: bool = False) -> Places:
    """Of a dict without gaps; ``NO_PLACES``, which serve nothing, for others.

    ``named``: others before named their audio loss, so that a loss beside none of that name is not that of the audio.
    """
    names = {*AUDIO_NAMES, *CODEBOOK_NAMES, *TEXT_NAMES, "loss"}
    if not isinstance(outputs, dict) or any(outputs[name] is None for name in names.intersection(outputs)):
        return NO_PLACES
    audio, codebooks, text = (_name(outputs, each) for each in (AUDIO_NAMES, CODEBOOK_NAMES, TEXT_NAMES))
    if (text or named) and not (audio or codebooks):
        return NO_PLACES
    labels = None if layout is None else layout.named("text-labels")
    text_labels = "" if labels is None else labels.name
    summed = layout.num_codebooks if layout is not None and layout.reduction == "sum" else 1
    kind = type(outputs) if _is_plain(outputs) else None
    return Places(
        kind=type(outputs),
        keys=tuple(outputs),
        plain=(kind, len(getattr(outputs, "__dict__", ())), text_labels, summed),
        audio=audio,
        codebooks=codebooks,
        text=text,
        text_labels=text_labels,
        summed=summed,
    )


def _name(outputs: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((name for name in names if name in outputs), "")


def _is_plain(outputs: dict[str, Any]) -> bool:
    """Outputs of transformers are dataclasses that are dicts as well; to ask them as a dict costs more."""
    if not is_dataclass(outputs) or not {"loss", *outputs} <= vars(outputs).keys():
        return False
    others = vars(outputs).keys() & {*AUDIO_NAMES, *CODEBOOK_NAMES, *TEXT_NAMES}  # None, but only now
    return not others and outputs.loss is outputs.get("loss")
