"""One code makes up most of the labels.

What: More than half of the audio labels that count are one and the same real code, or in one codebook more than nine in
ten.

Why: Silence, a codec that fell silent or an array of zeros give the same code again and again: the loss falls to
nothing because there is nothing to predict.

Fix: Listen to the audio that these codes decode to. Trim silence, and check the sampling rate and the scale of the
waveform before the codec.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed, percent
from audioloss_cli.probe.measure.alignment import real_codes
from audioloss_cli.probe.measure.evidence import Evidence

_MOST, _MOST_OF_A_CODEBOOK, _FEWEST_LABELS = 0.5, 0.9, 32


def check(evidence: Evidence) -> Iterator[Problem]:
    """Over the whole batch, else by codebook."""
    found = _dominant(evidence)
    if found is not None and found[1] > _MOST:
        yield Problem(
            Severity.WARNING,
            f"{percent(found[1])} of the audio labels that count are code {found[0]}",
            {"code": found[0], "share": found[1]},
        )
    elif books := _codebooks(evidence):
        book, (code, share) = next(iter(books.items()))
        yield Problem(
            Severity.WARNING,
            f"one code makes up most of the labels of codebook {listed(books)}: in codebook {book} {percent(share)} "
            f"are code {code}",
            {"codebooks": list(books), "code": code, "share": share},
        )


def passed(evidence: Evidence) -> str:
    """The most frequent one."""
    found = _dominant(evidence)
    return "" if found is None else f"the most frequent code makes up {percent(found[1])} of the labels"


def _dominant(evidence: Evidence) -> tuple[int, float] | None:
    labels, counts = evidence.audio.labels, _counted(evidence)
    return None if labels is None or counts is None else _most_frequent(labels[counts])


def _codebooks(evidence: Evidence) -> dict[int, tuple[int, float]]:
    """Codebook -> its code that makes up most of its labels, and the share."""
    labels, counts = evidence.audio.labels, _counted(evidence)
    if labels is None or counts is None:
        return {}
    found = {book: _most_frequent(labels[:, book][counts[:, book]]) for book in range(labels.shape[1])}
    return {book: each for book, each in found.items() if each is not None and each[1] > _MOST_OF_A_CODEBOOK}


def _counted(evidence: Evidence) -> Tensor | None:
    labels, valid = evidence.audio.labels, evidence.valid
    return None if labels is None or valid is None else valid & real_codes(labels, evidence.layout)


def _most_frequent(counted: Tensor) -> tuple[int, float] | None:
    if len(counted) < _FEWEST_LABELS:
        return None
    ids, counts = counted.unique(return_counts=True)
    top = int(counts.argmax())
    return int(ids[top]), int(counts[top]) / len(counted)
