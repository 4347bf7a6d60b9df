"""Where outputs hold their losses, found once for each kind of outputs: to try every name costs more than to read."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from audioloss_cli.probe.layout import Layout
from audioloss_cli.training.losses import AUDIO_NAMES, CODEBOOK_NAMES, TEXT_NAMES


class Places(NamedTuple):
    """Where outputs of one kind hold their losses; empty names for what they have not.

    Attributes:
        kind, keys: of the outputs for which this holds.
        audio, codebooks, text: names of entries.
        text_labels: key of a batch; where it is there, the model's own loss holds text as well.
        summed: codebooks over which the model's own loss is a sum; 1 for a mean.
    """

    kind: Any
    keys: frozenset[str]
    audio: str = ""
    codebooks: str = ""
    text: str = ""
    text_labels: str = ""
    summed: int = 1


NO_PLACES = Places(type(None), frozenset())


def places_of(outputs: Any, layout: Layout | None) -> Places:
    """Of a dict without gaps; ``NO_PLACES``, which serve nothing, for others."""
    names = {*AUDIO_NAMES, *CODEBOOK_NAMES, *TEXT_NAMES, "loss"}
    if not isinstance(outputs, dict) or any(outputs[name] is None for name in names.intersection(outputs)):
        return NO_PLACES
    audio, codebooks, text = (_name(outputs, each) for each in (AUDIO_NAMES, CODEBOOK_NAMES, TEXT_NAMES))
    if text and not (audio or codebooks):
        return NO_PLACES
    places = Places(type(outputs), frozenset(outputs), audio, codebooks, text)
    if layout is None:
        return places
    labels = layout.named("text-labels")
    summed = layout.num_codebooks if layout.reduction == "sum" else 1
    return places._replace(text_labels="" if labels is None else labels.name, summed=summed)


def _name(outputs: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((name for name in names if name in outputs), "")
