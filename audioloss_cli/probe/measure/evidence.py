"""What the probe knows about one batch: what the checks look at, and nothing they would have to compute twice."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from audioloss_cli.probe.measure.alignment import (
    FEWEST_CELLS,
    OFFSETS,
    Audio,
    LabelMatch,
    match_labels,
    real_codes,
    shifted,
    surely_above,
)
from audioloss_cli.probe.measure.ids import equal
from audioloss_cli.probe.measure.statistics import LogitStatistics
from audioloss_cli.probe.model_io.adapter import Batch, Unreadable, readable
from audioloss_cli.probe.model_io.layout import Layout

if TYPE_CHECKING:
    from audioloss_cli.probe.measure.data_figures import DataFigures

#: Group of the parameters that are in no group of audio parameters.
REST = "rest"
_SPREAD = 0.1  # nats
_RARE, _ERRORS_OF_A_SHARE = 1e-3, 3

#: Which loss a gradient comes from: that of the whole, the audio loss as reported, or the probe's own.
GradientSource = Literal["total", "reported", "recomputed", ""]


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient of the audio loss in one group of audio parameters.

    Attributes:
        parameters: how many there are, and ``trainable`` how many of them require a gradient.
        norm: Euclidean, over those that have one; NaN or infinite if any element is.
        adapted: trainable ones of a LoRA.
    """

    parameters: int
    trainable: int
    norm: float
    adapted: int = 0


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What changing the codes of one column did to the logits, once in the last codebook and once in all others.

    Attributes:
        row: the column that was changed.
        before: largest change of any logit that is computed before the changed codes may be known; None if the column
            is the first.
        after: largest change from that row on.
        deaf: codebooks whose change moved nothing at all.
        loss_moved: whether the reported loss changed; None if none is reported, or no label counts that it could move.
    """

    row: int
    before: float | None
    after: float
    deaf: tuple[int, ...] = ()
    loss_moved: bool | None = None


@dataclass(frozen=True, slots=True)
class LabelResponse:
    """What other audio labels did to the loss that the model returns.

    Attributes:
        moved: whether it changed at all.
        offset: positions by which it shifts the labels, as the size of the change tells; None if that is not known.
        loss: that of the whole, with the labels as they are.
        elsewhere: of a loss that did not change: whether it changes with the text or the codes; None if it did.
    """

    moved: bool
    offset: int | None = None
    elsewhere: bool | None = None
    loss: float = math.nan


@dataclass(frozen=True, slots=True)
class Weights:
    """What the checkpoint and the model have to say about each other.

    Attributes:
        missing, unexpected: keys of the model that the checkpoint lacks, and the other way round.
        mismatched: keys whose shapes differ, each with both shapes in words.
        faults: name of a tensor -> what is wrong with it: ``NaN``, ``infinite``, ``all zero``, ``constant``.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Logged:
    """What a log says about the audio loss of the run.

    Attributes:
        run, tag: where.
        step, value: the last finite point, in nats per codebook.
        lowest, highest: of the finite values; the latter NaN if it is not known.
    """

    run: str
    tag: str
    step: int
    value: float
    lowest: float
    highest: float = math.nan

    @property
    def flat(self) -> bool:
        """Whether it logged one and the same number all along."""
        return self.lowest == self.value and (self.highest == self.value or math.isnan(self.highest))


@dataclass
class Evidence:
    """Everything about one batch. Whatever could not be had is None or empty.

    Attributes:
        layout: of the model family.
        batch: as collated, on the CPU; ``Unreadable`` in place of what nothing can be computed of.
        audio: its audio in rows.
        again: the audio of the same samples, collated a second time.
        kept: keys that the trainer leaves; None if that is not known.
        would_keep: keys that a trainer which removes unused columns would leave; None if there is no model, or the
            trainer is known.
        stats: of the logits, with cross entropies against the codes at ``OFFSETS``, then against the labels.
        reported: the audio loss as the model reports it.
        total: the loss of the whole that the model returns beside it; None if there is none.
        response: what other labels do to that loss; None if it was not asked.
        trained_steps: optimiser steps behind the weights; None if nobody says.
        failure: why there is no forward pass.
        perturbation, weights: see there.
        gradients: group of audio parameters, or ``REST`` -> its gradient; empty if nobody asked.
        gradient_source: which loss that is the gradient of.
        held_out: mean cross entropy at offset 1 on held-out data, nats.
        text_tokens, logged: text labels that count; what logs say.
        data: figures over a whole data set, of which ``audio`` is a part; None for a batch.
    """

    layout: Layout
    batch: Batch
    audio: Audio = field(default_factory=Audio)
    again: Audio | None = None
    kept: frozenset[str] | None = None
    would_keep: frozenset[str] | None = None
    stats: LogitStatistics | None = None
    reported: float | None = None
    total: float | None = None
    response: LabelResponse | None = None
    trained_steps: int | None = None
    failure: str = ""
    perturbation: Perturbation | None = None
    gradients: dict[str, Gradient] = field(default_factory=dict)
    gradient_source: GradientSource = ""
    weights: Weights = field(default_factory=Weights)
    held_out: float | None = None
    text_tokens: int = 0
    logged: tuple[Logged, ...] = ()
    data: "DataFigures | None" = None

    def __post_init__(self) -> None:
        self.batch = readable(self.batch, self.layout)

    @property
    def unreadable(self) -> dict[str, str]:
        """Fields that no check could look at -> why; a model is not given them either."""
        return {name: value.what for name, value in self.batch.items() if isinstance(value, Unreadable)}

    @cached_property
    def valid(self) -> Tensor | None:
        """[N, K] bool: labels that count."""
        if self.audio.labels is None:
            return self.audio.counted
        return ~equal(self.audio.labels, self.layout.ignore_index)

    @cached_property
    def real(self) -> Tensor | None:
        """[N, K] bool: codes that stand for audio, rather than for its beginning, its end or nothing."""
        return None if self.audio.codes is None else real_codes(self.audio.codes, self.layout)

    @property
    def audio_gradients(self) -> dict[str, Gradient]:
        """Those of the groups of audio parameters."""
        return {group: gradient for group, gradient in self.gradients.items() if group != REST}

    @cached_property
    def chance(self) -> float:
        """Cross entropy of guessing among the V ids of one codebook: ln V nats."""
        size = self.stats.shape[2] if self.stats is not None else self.layout.vocab_size
        return math.log(max(size, 2))

    @cached_property
    def label_match(self) -> LabelMatch | None:
        """How the labels of the batch lie beside its codes."""
        return match_labels(self.audio, self.layout)

    @cached_property
    def cells(self) -> Tensor | None:
        """[O, n, K] cross entropy of the rows whose codes at all ``OFFSETS`` count, NaN in the other cells."""
        if self.stats is None or len(self.stats.cross_entropy) < len(OFFSETS):
            return None
        each = self.stats.cross_entropy[: len(OFFSETS)]
        return each.masked_fill(each.isnan().any(0), math.nan)

    @cached_property
    def by_offset(self) -> Tensor | None:
        """[O, K] means of ``cells`` in nats; NaN for a codebook with too few of them to tell."""
        if self.cells is None or not self.cells.shape[1]:
            return None
        few = (~self.cells[0].isnan()).sum(0) < FEWEST_CELLS
        return torch.nanmean(self.cells, dim=1).masked_fill(few, math.nan)

    @cached_property
    def repeats(self) -> Tensor:
        """[K] share of the real codes that are followed by themselves, at most; never quite 0 or 1.

        At most is three standard errors above what was counted: in a short batch codes may repeat less than they do.
        """
        codes = self.audio.labels if self.audio.codes is None else self.audio.codes
        books = self.stats.shape[1] if self.stats is not None else 1
        if codes is None or self.audio.segments is None or codes.shape[1] != books:
            return torch.full((books,), _RARE, device="cpu")
        following = shifted(codes, self.audio.segments, 1, self.layout.ignore_index)
        both = real_codes(codes, self.layout) & real_codes(following, self.layout)
        count = both.sum(0).clamp(min=1)
        share = ((codes == following) & both).sum(0) / count
        return (share + _ERRORS_OF_A_SHARE * (share * (1 - share) / count).sqrt()).clamp(_RARE, 1 - _RARE)

    def lower(self, offset: int, than: int, margin: float, *, together: bool = False) -> Tensor:
        """[K] bool: codebooks whose cross entropy at one offset is lower than at another, beyond margin and chance.

        Beyond chance is four standard errors of the mean difference. ``together``: [1], of the mean over codebooks.
        """
        if self.cells is None or self.by_offset is None:
            return torch.zeros(0, dtype=torch.bool, device="cpu")
        gain = self.cells[OFFSETS.index(than)] - self.cells[OFFSETS.index(offset)]
        return surely_above(torch.nanmean(gain, dim=1, keepdim=True) if together else gain, margin)

    @cached_property
    def next_by_codebook(self) -> Tensor | None:
        """[K] mean cross entropy against the next code over every cell that has one; NaN where none has."""
        if self.stats is None or len(self.stats.cross_entropy) < len(OFFSETS) or not self.stats.shape[0]:
            return None
        return torch.nanmean(self.stats.cross_entropy[OFFSETS.index(1)], dim=0)

    @property
    def next_loss(self) -> float:
        """Mean of ``next_by_codebook`` over codebooks; NaN if unknown."""
        return math.nan if self.next_by_codebook is None else float(torch.nanmean(self.next_by_codebook))

    @cached_property
    def recomputed_by_codebook(self) -> Tensor | None:
        """[K] mean cross entropy against the labels, shifted as the family shifts them; NaN where none counts."""
        return self._against_labels(0)

    @property
    def recomputed(self) -> float | None:
        """The audio loss as the family reduces it; None if nothing was recomputed, NaN if no label counts."""
        return self._reduced(self.recomputed_by_codebook)

    @property
    def recomputed_unshifted(self) -> float | None:
        """The same, had the loss not shifted the labels."""
        return self._reduced(self._against_labels(1))

    def _against_labels(self, place: int) -> Tensor | None:
        if self.stats is None or len(self.stats.cross_entropy) <= len(OFFSETS) + place:
            return None
        return torch.nanmean(self.stats.cross_entropy[len(OFFSETS) + place], dim=0)

    def _reduced(self, each: Tensor | None) -> float | None:
        if each is None:
            return None
        nothing = bool(each.isnan().all())  # whose sum would be 0
        return float(each.nansum() if self.layout.reduction == "sum" and not nothing else each.nanmean())

    @property
    def tells_offsets_apart(self) -> bool:
        """Whether the model has learnt anything by which the offsets differ; at chance level none is ruled out."""
        means = [self.mean_at(offset) for offset in OFFSETS]
        return not any(map(math.isnan, means)) and max(means) - min(means) > _SPREAD

    def mean_at(self, offset: int) -> float:
        """Mean over codebooks of ``by_offset``; NaN if unknown."""
        return math.nan if self.by_offset is None else float(torch.nanmean(self.by_offset[OFFSETS.index(offset)]))
