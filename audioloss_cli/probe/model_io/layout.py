"""What an adapter declares about a model family: its fields, its codes, and how its loss reads its labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Literal

import torch
from torch import Tensor

Role = Literal["text", "attention", "codes", "codes-mask", "audio-labels", "text-labels", "positions", "features"]

_SPECIAL = 16  # ids in front of the published placeholders, from the beginning of a text on
_MOST = {"num_codebooks": 100_000, "vocab_size": (1 << 31) - 1}


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a batch.

    Attributes:
        name: its key.
        role: what it is for.
        axes: names of its axes, separated by blanks: ``B`` samples, ``S`` text positions, ``T`` audio columns, ``K``
            codebooks; ``K T`` is a tensor of two dimensions.
        required: whether the model needs it to train its audio loss.
        kind: of its dtype.
        other_axes: axes of another form that the family takes as well; nothing but its number of dimensions is judged.
        first: entries along ``K`` before the first codebook.
        embedded: whether the model looks up every cell of it in the table of audio embeddings, padding included.
    """

    name: str
    role: Role
    axes: str
    required: bool = False
    kind: Literal["integer", "floating", "mask"] = "integer"
    embedded: bool = False
    first: int = 0
    other_axes: str = ""

    @property
    def dimensions(self) -> int:
        """How many axes it has."""
        return len(self.axes.split())


@dataclass(frozen=True, slots=True)
class Reference:
    """Audio that is given rather than learnt, its segments side by side, with one token in the text for each.

    Attributes:
        codes, starts: keys of the codes, ``K T``, and of the column at which each segment starts.
        token: id that stands for a segment in the text.
        instead: key of features that may take the place of the codes.
    """

    codes: str
    starts: str
    token: int
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A model family, for one configuration.

    Attributes:
        name: of the family, for messages.
        fields: what a batch holds.
        num_codebooks: K.
        vocab_size: V, ids of one codebook, special ones included.
        input_size: ids of one codebook that can be fed in, if they are more than can be predicted.
        bos, eos, pad: ids of one codebook that stand for no code; None if the family has none.
        text_vocab_size: ids of the text; None if unknown.
        ignore_index: label that the loss leaves out.
        shift: positions by which the family's loss shifts the labels; 1: logits at t are held against labels at t + 1.
        sampled: whether the family trains codebooks 1.. on some frames only, so that few of their labels count.
        reduction: the reported loss is the ``mean`` over codebooks of the mean over valid cells, or their ``sum``.
        delayed: whether codebook k starts k columns late (MusicGen's delay pattern, arXiv:2306.05284); None if the
            configuration does not say.
        forward_names: keys that the family's own forward takes; empty: ask the model at hand.
        parameters: groups of audio parameters (``head``, ``embeddings``, ``ffn``) and the regular expression that
            finds their names in ``model.named_parameters()``.
        placeholder_ids: ids that stand for audio in the text.
        published_ids: whether ``placeholder_ids`` are those of the published model, for want of a configuration.
        reference: of families that are given audio beside the one they learn.
    """

    name: str
    fields: tuple[Field, ...]
    num_codebooks: int
    vocab_size: int
    bos: int | None = None
    eos: int | None = None
    text_vocab_size: int | None = None
    ignore_index: int = -100
    shift: int = 1
    sampled: bool = False
    reduction: Literal["mean", "sum"] = "mean"
    delayed: bool | None = None
    forward_names: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    pad: int | None = None
    placeholder_ids: tuple[int, ...] = ()
    published_ids: bool = False
    input_size: int = 0
    reference: Reference | None = None

    def __post_init__(self) -> None:
        """Numbers may come from a file that anybody wrote.

        Raises:
            ValueError: one is none, or out of all proportion.
        """
        for name, most in _MOST.items():
            value = getattr(self, name)
            if not _is_whole(value) or not 0 <= value <= most:
                raise ValueError(f"{name} is {str(value)[:80]}")
        for name in ("bos", "eos", "pad", "text_vocab_size"):
            value = getattr(self, name)
            if value is not None and (not _is_whole(value) or abs(value) > _MOST["vocab_size"]):
                raise ValueError(f"{name} is {str(value)[:80]}")
        if self.delayed not in (True, False, None):
            raise ValueError(f"whether codebooks are delayed is {str(self.delayed)[:80]}")
        if not all(_is_whole(each) and abs(each) <= _MOST["vocab_size"] for each in self.placeholder_ids):
            raise ValueError(f"the ids that stand for audio are {str(self.placeholder_ids)[:80]}")

    def knows_placeholders_of(self, text: Tensor) -> bool:
        """Whether ``placeholder_ids`` can be those of this text [B, S] int64.

        Ids of the published model stand behind its whole text vocabulary: a text without such ids is of another one.
        """
        return not self.published_ids or (text.numel() > 0 and int(text.max()) >= min(self.placeholder_ids) - _SPECIAL)

    def placeholders_in(self, text: Tensor) -> Tensor | None:
        """[B, S] bool, on the device of the text: where it holds one; None where nobody knows."""
        if not self.placeholder_ids or not self.knows_placeholders_of(text):
            return None
        return torch.isin(text, torch.tensor(self.placeholder_ids, device=text.device))

    def named(self, role: Role) -> Field | None:
        """The first field of a role."""
        for item in self.fields:
            if item.role == role:
                return item
        return None


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
