"""The samples of one batch in figures, each a tensor with one entry a sample."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from audioloss_cli.probe.measure.alignment import real_codes
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.ids import inside

_FEWEST_ANSWERED = 4  # tokens of text behind the audio; fewer are an end of turn


@dataclass
class Samples:
    """What a batch holds of each of its samples.

    Attributes:
        evidence: of the batch.
        count: B.
        rows: [N] int64, the sample of each audio row; None where the batch has no audio that can be read.
        codes: [N, K] int64, what is fed in, or the labels where nothing is.
        real: [N, K] bool: codes that stand for audio.
        text, shown: [B, S] ids of the text, and which of them are no padding; None if there is no text.
    """

    evidence: Evidence
    count: int
    rows: Tensor | None
    codes: Tensor | None
    real: Tensor | None
    text: Tensor | None
    shown: Tensor | None

    @cached_property
    def columns(self) -> Tensor:
        """[B] int64: audio columns."""
        if self.rows is None:
            return torch.zeros(self.count, dtype=torch.long, device="cpu")
        return self.rows.bincount(minlength=self.count)

    @cached_property
    def text_lengths(self) -> Tensor | None:
        """[B] int64: tokens of text that are no padding."""
        return None if self.shown is None else self.shown.sum(1)

    @property
    def cells(self) -> int:
        """Audio labels, whether they count or not."""
        return 0 if self.evidence.valid is None else self.evidence.valid.numel()

    @cached_property
    def counted(self) -> Tensor | None:
        """[B] int64: audio labels that count; None if that is not known."""
        return self._by_sample(self.evidence.valid)

    @cached_property
    def telling(self) -> Tensor | None:
        """[N, K] bool: labels that count and are no special id; None if there are no labels."""
        labels, valid = self.evidence.audio.labels, self.evidence.valid
        return None if labels is None or valid is None else valid & real_codes(labels, self.evidence.layout)

    @cached_property
    def counted_real(self) -> Tensor:
        """[B] int64: those among them that are no special id."""
        found = self._by_sample(self.telling)
        return torch.ones(self.count, dtype=torch.long, device="cpu") if found is None else found

    @cached_property
    def answers(self) -> Tensor:
        """[B] bool: samples in which text that is learnt follows the last audio."""
        none = torch.zeros(self.count, dtype=torch.bool, device="cpu")
        layout = self.evidence.layout
        item = layout.named("text-labels")
        labels = self.evidence.batch.get(item.name) if item else None
        if self.text is None or not isinstance(labels, Tensor) or labels.shape != self.text.shape:
            return none
        audio = layout.placeholders_in(self.text)
        if audio is None:
            return none
        behind = audio.flip(1).cumsum(1).flip(1) == 0
        return ((labels != layout.ignore_index) & behind).sum(1) >= _FEWEST_ANSWERED

    @cached_property
    def _same(self) -> tuple[Tensor, Tensor]:
        """[B] each: pairs of neighbouring real codes, and those of them that are equal."""
        zeros = torch.zeros(self.count, dtype=torch.long, device="cpu")
        if self.codes is None or self.rows is None or self.real is None or len(self.codes) < 2:  # noqa: PLR2004  # a pair
            return zeros, zeros
        both = self.real[1:] & self.real[:-1] & (self.rows[1:] == self.rows[:-1])[:, None]
        equal = both & (self.codes[1:] == self.codes[:-1])
        rows = self.rows[1:]
        return zeros.index_add(0, rows, both.sum(1)), zeros.index_add(0, rows, equal.sum(1))

    @property
    def pairs(self) -> Tensor:
        """[B] int64: pairs of a real code and the one before it."""
        return self._same[0]

    @property
    def repeats(self) -> Tensor:
        """[B] float: share of the pairs whose codes are equal."""
        return self._same[1] / self.pairs.clamp(min=1)

    def histogram(self, books: int, ids: int) -> tuple[Tensor, int]:
        """[books, ids] int64: labels that count by id, or codes where there are no labels; and how many lie outside."""
        labels, valid = self.evidence.audio.labels, self.evidence.valid
        found = self.codes if labels is None else labels
        empty = torch.zeros(books, ids, dtype=torch.long, device="cpu")
        if found is None or not found.numel() or found.shape[1] > books:
            return empty, 0
        counts, wanted = inside(found, ids).numpy(), found.numel()
        if labels is not None and valid is not None:
            counts, wanted = counts & valid.numpy(), int(np.count_nonzero(valid.numpy()))
        place = found.numpy() + np.arange(found.shape[1]) * ids
        place[~counts] = books * ids
        flat = torch.from_numpy(np.bincount(place.ravel("K"), minlength=books * ids + 1))
        return flat[:-1].view(books, ids), wanted - int(np.count_nonzero(counts))

    def _by_sample(self, flags: Tensor | None) -> Tensor | None:
        if flags is None or self.rows is None or len(flags) != len(self.rows):
            return None
        return torch.zeros(self.count, dtype=torch.long, device="cpu").index_add(0, self.rows, flags.sum(1))


def samples_of(evidence: Evidence) -> Samples:
    """The samples of a batch; where nobody says whose an audio row is, each segment stands for a sample."""
    audio, text = evidence.audio, _text(evidence)
    codes = audio.labels if audio.codes is None else audio.codes
    rows = audio.samples if audio.samples is not None else audio.segments
    if rows is not None and codes is not None and len(rows) != len(codes):
        rows = None
    if rows is not None and len(rows) and int(rows.min()) < 0:
        rows = None
    sure = text is not None and (
        rows is None or not len(rows) or (audio.samples is not None and int(rows[-1]) < len(text))
    )
    count = len(text) if sure and text is not None else (int(rows.max()) + 1 if rows is not None and len(rows) else 0)
    real = evidence.real if codes is audio.codes or codes is None else real_codes(codes, evidence.layout)
    shown = None if text is None else _shown(text, evidence)
    return Samples(evidence, count, rows, codes, real, text if sure else None, shown if sure else None)


def _text(evidence: Evidence) -> Tensor | None:
    item = evidence.layout.named("text")
    found = evidence.batch.get(item.name) if item else None
    fits = isinstance(found, Tensor) and found.ndim == len("BS") and not found.is_floating_point()
    return found if fits and isinstance(found, Tensor) else None


def _shown(text: Tensor, evidence: Evidence) -> Tensor:
    """[B, S] bool: by the attention mask; without one all but padding, which the longest end of one id tells."""
    item = evidence.layout.named("attention")
    mask = evidence.batch.get(item.name) if item else None
    if isinstance(mask, Tensor) and mask.shape == text.shape:
        return mask != 0
    if not text.numel():
        return torch.zeros_like(text, dtype=torch.bool)
    last = (text == text[:, -1:]).flip(1).long().cumprod(1).flip(1).bool()
    runs = last.sum(1)
    padding = text[runs.argmax(), -1] if int(runs.max()) > 1 else -1
    return ~(last & (text == padding))
