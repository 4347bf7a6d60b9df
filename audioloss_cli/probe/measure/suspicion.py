"""Which of the costly checks a batch needs, by figures that are had in a pass over its cells.

A check is left out where these figures rule out that it finds more than a fact. They err on the side of looking.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from audioloss_cli.probe.measure.alignment import shifted
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.samples import Samples

_ALIGNMENT = ("double_shift", "label_leak", "labels_of_other_audio")
_DOMINANT, _OF_A_BOOK, _SPECIAL, _DISTINCT = 0.45, 0.85, 0.85, 3
_VALID, _VALID_OF_A_BOOK = 0.5, 0.1
_ENTROPY, _ENTROPY_SHARE, _ENTROPY_OF_A_BOOK = 2.5, 0.4, 0.7
_MOST_OF_A_BOOK = math.exp(-_ENTROPY_OF_A_BOOK)  # with no id as frequent as that a codebook is not poor
_NOTHING = -(2**62)

#: Every check that this module can leave out.
COSTLY = (*_ALIGNMENT, "dominant_label", "few_distinct_labels", "low_valid_fraction", "poor_codes")


def needed(found: Samples, histogram: Tensor, outside: int) -> tuple[str, ...]:
    """Names of the checks that must look at this batch.

    Args:
        found: samples of the batch.
        histogram: [K, V] int64, how often each id is a label that counts, or a code where there are no labels.
        outside: how many ids have no place in it.
    """
    if outside:
        return COSTLY
    evidence = found.evidence
    # Of codes that are not those of the labels the histogram says nothing.
    names = [] if _labels_are_codes(found) else [*_ALIGNMENT, "poor_codes"]
    names += [] if _enough_count(evidence) else ["low_valid_fraction"]
    return tuple(dict.fromkeys((*names, *_by_frequency(evidence, histogram))))


def _labels_are_codes(found: Samples) -> bool:
    """Whether each label that is a real code is the one that belongs there; true where there is nothing to compare."""
    audio, shift, telling = found.evidence.audio, found.evidence.layout.shift, found.telling
    codes, labels, segments = audio.codes, audio.labels, audio.segments
    if codes is None or labels is None or segments is None or telling is None or codes.shape != labels.shape:
        return True
    if shift == 1:
        return not bool((telling & (labels != codes)).any())
    there = shifted(codes, segments, 1 - shift, _NOTHING)
    return not bool((telling & (there != _NOTHING) & (labels != there)).any())


def _enough_count(evidence: Evidence) -> bool:
    """Whether labels count for half of all real codes, prompts included, and for some of each codebook."""
    valid, real = evidence.valid, evidence.real
    if valid is None or real is None or valid.shape != real.shape:
        return valid is None
    if evidence.layout.sampled:
        valid, real = valid[:, :1], real[:, :1]
    counted, there = valid.sum(0), real.sum(0)
    whole = int(counted.sum()) >= _VALID * int(there.sum())
    return whole and not bool((counted < _VALID_OF_A_BOOK * there).any())


def _by_frequency(evidence: Evidence, histogram: Tensor) -> Iterator[str]:
    counts, layout = histogram.numpy(), evidence.layout
    special = {
        each for each in (layout.bos, layout.eos, layout.pad) if each is not None and 0 <= each < counts.shape[1]
    }
    of_ids, books = counts.sum(0), counts.sum(1)
    of_special = int(of_ids[list(special)].sum())
    if of_all := int(books.sum()):
        few = np.count_nonzero(of_ids) <= _DISTINCT
        if few or of_special >= _SPECIAL * of_all:
            yield "few_distinct_labels"
    if special:
        counts = counts.copy()
        counts[:, list(special)] = 0
        of_ids, books = counts.sum(0), counts.sum(1)
    most, whole = counts.max(1), int(books.sum())
    if (most > _OF_A_BOOK * books).any() or of_ids.max() > _DOMINANT * whole:
        yield "dominant_label"
    suspect = np.flatnonzero(most > _MOST_OF_A_BOOK * books)
    poor = _is_poor(of_ids, min(_ENTROPY, _ENTROPY_SHARE * evidence.chance))
    # Where no label counts that is a real code, the check goes by the codes themselves.
    if not whole or poor or any(_is_poor(counts[book], _ENTROPY_OF_A_BOOK) for book in suspect):
        yield "poor_codes"


def _is_poor(counts: npt.NDArray[np.int64], least: float) -> bool:
    """[V]: whether the entropy is below so many nats; it is at least that of the most frequent id alone."""
    whole = counts.sum()
    if counts.max() <= math.exp(-least) * whole:
        return False
    share = counts[counts > 0] / whole
    return bool(-(share * np.log(share)).sum() < least)
