"""Far fewer audio labels count than there are codes to learn.

What: In the segments that are learnt from, the labels that count are less than half as many as the real codes; in all
codebooks together, or in one of them next to none. What lies before the first label of a segment is taken for a prompt.
Healthy are as many, and one EOS a codebook beside them: a fraction of (T + 1) / (T + 9) of all cells with the delay
pattern of 8 codebooks, (T + 1) / (T + 2) without, for segments of T frames.

Why: What is left is little and often easy: a loss near zero then says that the easy part is learnt.

Fix: Mask BOS, the fills of the delay pattern and padding, and nothing else. Check the order of masking and delaying,
and the lengths that the mask is made from.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._spans import asked
from audioloss_cli.probe.checks._special import special_labels
from audioloss_cli.probe.checks._words import listed, percent
from audioloss_cli.probe.measure.evidence import Evidence

_LEAST, _NEXT_TO_NOTHING = 0.5, 0.1
_FEWEST_CODES = 16  # of fewer in a codebook nothing can be said


def check(evidence: Evidence) -> Iterator[Problem]:
    """Over the segments in which any label counts."""
    counts = _counts(evidence)
    if counts is None:
        yield from _beside_each_other(evidence)
        return
    valid, real, cells = int(counts[0].sum()), int(counts[1].sum()), counts[2]
    if valid >= _LEAST * real:
        yield from _codebooks(*counts[:2])
        return
    yield Problem(
        Severity.CRITICAL if valid < _NEXT_TO_NOTHING * real else Severity.WARNING,
        f"{percent(valid / cells)} of the labels count ({valid} of {cells}), {percent(real / cells)} of the codes "
        f"are real, and healthy labels are as many or one a codebook and segment more",
        {"valid": valid, "real_codes": real, "cells": cells},
    )


def passed(evidence: Evidence) -> str:
    """The two fractions."""
    counts = _counts(evidence)
    if counts is None:
        return ""
    valid, real, cells = int(counts[0].sum()), int(counts[1].sum()), counts[2]
    return (
        f"{percent(valid / cells)} of the labels count where {percent(real / cells)} of the codes are real"
        + _trivial(evidence)
    )


def _trivial(evidence: Evidence) -> str:
    """So that nobody takes labels of no code for labels of all codes."""
    found, valid = special_labels(evidence), evidence.valid
    count = 0 if found is None else int(found.sum())
    return f", {percent(count / int(valid.sum()))} of them BOS, EOS or fills" if count and valid is not None else ""


def _beside_each_other(evidence: Evidence) -> Iterator[Problem]:
    """Labels without codes to hold them against: a codebook is masked if the others are not."""
    valid, first = evidence.valid, int(evidence.layout.sampled)
    if valid is None or evidence.audio.labels is None or valid.shape[1] <= first + 1:
        return
    counts = valid[:, first:].sum(0)
    usual = int(counts.median())
    books = (first + (counts < _NEXT_TO_NOTHING * usual).nonzero().flatten()).tolist() if usual else []
    if books and usual >= _FEWEST_CODES:
        yield Problem(
            Severity.CRITICAL,
            f"of the labels of codebook {listed(books)} next to none count, in codebook {books[0]} "
            f"{int(counts[books[0] - first])} beside {usual} in another",
            {"codebooks": books, "valid": valid.sum(0).tolist()},
        )


def _codebooks(valid: Tensor, real: Tensor) -> Iterator[Problem]:
    """Codebooks that are masked though the others are not."""
    masked = (real >= _FEWEST_CODES) & (valid < _NEXT_TO_NOTHING * real)
    books = masked.nonzero().flatten().tolist()
    if books:
        yield Problem(
            Severity.CRITICAL,
            f"of the labels of codebook {listed(books)} next to none count, in codebook {books[0]} "
            f"{int(valid[books[0]])} beside {int(real[books[0]])} real codes",
            {"codebooks": books, "valid": valid.tolist(), "real_codes": real.tolist()},
        )


def _counts(evidence: Evidence) -> tuple[Tensor, Tensor, int] | None:
    """Of each codebook, [K], valid labels and real codes; and all cells."""
    codes, valid, real, segments = evidence.audio.codes, evidence.valid, evidence.real, evidence.audio.segments
    if codes is None or valid is None or real is None or segments is None or valid.shape != real.shape:
        return None
    if not valid.numel():
        return None
    if evidence.layout.sampled:
        codes, valid, real = codes[:, :1], valid[:, :1], real[:, :1]
    cells = asked(codes, valid, segments)
    known = real & cells
    return ((valid & cells).sum(0), known.sum(0), int(cells.sum())) if bool(known.any()) else None
