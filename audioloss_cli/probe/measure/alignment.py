"""Where the labels stand beside the codes, and what the logits are held against."""

from dataclasses import dataclass

import torch
from torch import Tensor

from audioloss_cli.probe.measure.ids import equal, inside
from audioloss_cli.probe.model_io.layout import Layout

#: Label offsets at which the cross entropy is measured: 0 is the code fed in, 1 the next one.
OFFSETS = (0, 1, 2)
_ALIGNED, _UNRELATED = 0.9, 0.3
#: Of fewer cells nothing can be said.
FEWEST_CELLS = 16
_ERRORS = 4


@dataclass(frozen=True, slots=True)
class Audio:
    """The audio of a batch in rows, on the CPU; what the batch lacks is None.

    Attributes:
        codes: [N, K] int64, what is fed in.
        labels: [N, K] int64, in the batch's own alignment.
        segments, samples: [N] int64.
        counted: [N, 1] bool, which rows are labelled, where the labels themselves are made inside of the model.
        placeholders: for each sample, placeholders in the text and what its audio needs.
    """

    codes: Tensor | None = None
    labels: Tensor | None = None
    segments: Tensor | None = None
    samples: Tensor | None = None
    placeholders: tuple[list[int], list[int]] | None = None
    counted: Tensor | None = None


@dataclass(frozen=True, slots=True)
class LabelMatch:
    """How the labels of each codebook lie beside its codes.

    Attributes:
        offsets: [K], the o for which the label at t is the code at t + o in at least 90 % of the cells; None if there
            is none, or too few cells.
        unrelated: codebooks in which no offset explains 30 % of the labels.
    """

    offsets: tuple[int | None, ...]
    unrelated: tuple[int, ...]

    @property
    def common(self) -> int | None:
        """The offset that all codebooks share, as far as they have one; None if they do not."""
        known = {offset for offset in self.offsets if offset is not None}
        return known.pop() if len(known) == 1 else None


def real_codes(codes: Tensor, layout: Layout) -> Tensor:
    """[N, K] bool: ids of the codebook that are not special."""
    specials = {layout.bos, layout.eos, layout.pad} - {None}
    end = layout.vocab_size or torch.iinfo(torch.int64).max
    while end - 1 in specials:  # the last ids are special, as a rule: one comparison leaves out all of these
        end -= 1
    real = inside(codes, end)
    for special in specials:
        if special is not None and 0 <= special < end:
            real &= ~equal(codes, special)
    return real


def shifted(values: Tensor, groups: Tensor, offset: int, fill: int) -> Tensor:
    """[N, K]: at t the value at t + offset of the same group, ``fill`` where the group ends before that."""
    out = torch.full_like(values, fill)
    count = len(values)
    if abs(offset) >= count:
        return out
    here = slice(max(-offset, 0), count - max(offset, 0))
    there = slice(max(offset, 0), count - max(-offset, 0))
    same = groups[here] == groups[there]
    out[here] = torch.where(same[:, None], values[there], fill)
    return out


def surely_above(gain: Tensor, margin: float) -> Tensor:
    """[K] bool: where the mean of differences [n, K] is above a margin, and above four standard errors."""
    count = (~gain.isnan()).sum(0)
    mean = torch.nanmean(gain, dim=0)
    error = torch.nanmean((gain - mean).square(), dim=0).sqrt() / count.clamp(min=1).sqrt()
    return (count >= FEWEST_CELLS) & (mean > margin) & (mean > _ERRORS * error)


def match_labels(audio: Audio, layout: Layout) -> LabelMatch | None:
    """Compare labels that are real codes with the codes; None where there is nothing to compare."""
    codes, labels, segments = audio.codes, audio.labels, audio.segments
    if codes is None or labels is None or segments is None or codes.shape != labels.shape:
        return None
    telling = (labels != layout.ignore_index) & real_codes(labels, layout)
    offsets = _by_likelihood(layout, codes.shape[1])
    shares = torch.stack([_share(labels, shifted(codes, segments, offset, _NOTHING), telling) for offset in offsets])
    best = shares.argmax(0)
    enough = telling.sum(0) >= FEWEST_CELLS
    known = (shares.amax(0) >= _ALIGNED) & enough
    found = tuple(offsets[int(best[k])] if known[k] else None for k in range(len(best)))
    unrelated = (shares.amax(0) < _UNRELATED) & enough
    return LabelMatch(found, tuple(unrelated.nonzero().flatten().tolist()))


def targets(audio: Audio, layout: Layout) -> list[Tensor]:
    """What the logits are held against, each [N, K]: codes at ``OFFSETS``, labels shifted, labels unshifted.

    Of the codes only the real ones count, and of those the ones that are labelled, if any is. Without codes the labels
    stand in for them: then the code fed in is the label before the one that is asked for.
    """
    segments, labels, ignore = audio.segments, audio.labels, layout.ignore_index
    truth = audio.codes
    if segments is None:
        return []
    if truth is None:
        truth = None if labels is None else shifted(labels, segments, layout.shift - 1, ignore)
    if truth is None:
        return []
    truth = torch.where(real_codes(truth, layout) & _labelled(audio, layout, truth), truth, ignore)
    found = [shifted(truth, segments, offset, ignore) for offset in OFFSETS]
    if labels is not None and labels.shape == truth.shape:
        found += [shifted(labels, segments, layout.shift, ignore), labels]
    return found


_NOTHING = -(2**62)  # no label is this


def _by_likelihood(layout: Layout, books: int) -> list[int]:
    """Offsets to try, the right one first: it wins where silence makes every offset fit."""
    right = 1 - layout.shift
    return sorted(range(-2, books + 2), key=lambda offset: (abs(offset - right), -offset))


def _share(labels: Tensor, codes: Tensor, telling: Tensor) -> Tensor:
    """[K]: of the labels that have a code at the offset, those that are it."""
    comparable = telling & (codes != _NOTHING)
    return ((labels == codes) & comparable).sum(0) / comparable.sum(0).clamp(min=1)


def _labelled(audio: Audio, layout: Layout, truth: Tensor) -> Tensor:
    """[N, K] bool: codes that some label asks for; all if no label is known to be one of them."""
    match = match_labels(audio, layout)
    offset = None if match is None else match.common
    if audio.labels is None or offset is None or audio.segments is None:
        return torch.ones_like(truth, dtype=torch.bool)
    asked = shifted(audio.labels, audio.segments, -offset, layout.ignore_index) != layout.ignore_index
    return asked if bool(asked.any()) else torch.ones_like(asked)
