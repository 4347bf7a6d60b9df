"""The audio codes hold next to no information.

What: The entropy of the codes of all codebooks together is below 2 nats (about 7 equally frequent codes), or that of
one codebook below half a nat. Or more than half of the real codes repeat the one before in the same codebook, or nine
in ten of one codebook, and the loss copies: the next code costs less than a quarter of a nat, and the code fed in no
more than that; or the model bets far more on a copy than the codes repeat. Repetition alone is a fact, not a fault:
sustained vowels and codecs of many frames a second repeat. Where there are labels, the codes from the first to the
last of a segment.

Why: Silence, a constant waveform or a codec fed at the wrong rate: the next code can be copied from the last, and the
loss is low from the start.

Fix: Decode the codes and listen. Check the sampling rate, the range of the waveform and the codec's checkpoint.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._spans import learnt
from audioloss_cli.probe.checks._words import listed, nats, percent
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence

_MOST_REPEATS, _LEAST_ENTROPY, _FEWEST_CODES = 0.5, 2.0, 128
_LEAST_SHARE = 0.3  # of ln V, for codecs of few ids
_IN_A_CODEBOOK = 0.9, 0.5, 32  # the same of one codebook
_NOTHING, _UNFAIR, _RARE = 0.25, 0.25, 1e-3


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem: of all codebooks, else of some; a note where they repeat and nothing else is wrong."""
    found = _figures(evidence)
    if found is not None and (found[1] < _least(evidence) or found[0] > _MOST_REPEATS):
        repeats, entropy = found
        grave = entropy < _least(evidence) or _copies(evidence, repeats)
        yield Problem(
            Severity.WARNING if grave else Severity.INFO,
            f"{percent(repeats)} of the codes repeat the one before, and their entropy is {nats(entropy)} nats",
            {"repeats": repeats, "entropy": entropy},
        )
        if grave:
            return
    books = _poor_codebooks(evidence)
    if books:
        book, (repeats, entropy) = next(iter(books.items()))
        which = f"codebook {book} holds" if len(books) == 1 else f"codebooks {listed(books)} hold"
        yield Problem(
            Severity.WARNING,
            f"{which} next to nothing: in codebook {book} {percent(repeats)} of the codes repeat "
            f"the one before, and their entropy is {nats(entropy)} nats",
            {"codebooks": list(books), "repeats": repeats, "entropy": entropy},
        )


def passed(evidence: Evidence) -> str:
    """Repeats and entropy."""
    found = _figures(evidence)
    return "" if found is None else f"{percent(found[0])} of the codes repeat, their entropy is {nats(found[1])} nats"


def _figures(evidence: Evidence) -> tuple[float, float] | None:
    codes, real = evidence.audio.codes, _real(evidence)
    if codes is None or real is None or int(real.sum()) < _FEWEST_CODES:
        return None
    return _of(codes, real, evidence)


def _poor_codebooks(evidence: Evidence) -> dict[int, tuple[float, float]]:
    """Codebook -> its figures."""
    codes, real, (most, least, fewest) = evidence.audio.codes, _real(evidence), _IN_A_CODEBOOK
    if codes is None or real is None:
        return {}
    telling = (real.sum(0) >= fewest).nonzero().flatten().tolist()
    found = {book: _of(codes[:, book, None], real[:, book, None], evidence) for book in telling}
    return {
        book: each
        for book, each in found.items()
        if each[1] < least or (each[0] > most and _copies(evidence, each[0], book))
    }


def _least(evidence: Evidence) -> float:
    return min(_LEAST_ENTROPY, _LEAST_SHARE * evidence.chance)


def _copies(evidence: Evidence, repeats: float, book: int | None = None) -> bool:
    """Whether the loss is that of a copy, over all codebooks or in one.

    Either a copy is all that it takes, or the model bets far more on a copy than is fair: the fair bet on a share r of
    repeats costs at least -ln r at the code fed in (Jensen's inequality).
    """
    if evidence.by_offset is None or (book is not None and book >= evidence.by_offset.shape[1]):
        return False
    table = evidence.by_offset[:, [book]] if book is not None else evidence.by_offset
    same, following = (float(torch.nanmean(table[OFFSETS.index(offset)])) for offset in (0, 1))
    return same <= following < _NOTHING or same < _UNFAIR * -math.log(min(max(repeats, _RARE), 1 - _RARE))


def _real(evidence: Evidence) -> Tensor | None:
    """[N, K] bool: real codes, without prompts and padding where labels tell them."""
    real, valid, segments = evidence.real, evidence.valid, evidence.audio.segments
    if real is None or segments is None or valid is None or valid.shape != real.shape or not bool(valid.any()):
        return real if segments is not None else None
    return real & learnt(valid, segments)


def _of(codes: Tensor, real: Tensor, evidence: Evidence) -> tuple[float, float]:
    segments = evidence.audio.segments
    if segments is None:
        return 0.0, math.inf
    both = real[1:] & real[:-1] & (segments[1:] == segments[:-1])[:, None]
    repeats = float((codes[1:] == codes[:-1])[both].float().mean()) if bool(both.any()) else 0.0
    return repeats, _entropy(codes[real])


def _entropy(codes: Tensor) -> float:
    share = codes.unique(return_counts=True)[1].double() / len(codes)
    return abs(math.fsum(p * math.log(p) for p in share.tolist()))
