"""The data in figures.

What: Of a whole data set: samples, audio columns of a sample and tokens of its text (least, median, longest), the share
of audio labels that count, ids and the most frequent one of each codebook, and the samples whose codes repeat most. A
fact, not a fault.

Why: Most of what is wrong with data is seen in a histogram: lengths that were cut at a round number, a codebook with a
few ids, one sample of silence.

Fix: Nothing by itself. Listen to the samples that are named, and compare the lengths with those that the trainer cuts.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

import torch

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import percent
from audioloss_cli.probe.measure.data_figures import DataFigures, quantile
from audioloss_cli.probe.measure.evidence import Evidence

_SAMPLES = 5


def check(evidence: Evidence) -> Iterator[Problem]:
    """Of the whole data."""
    data = evidence.data
    if data is None or not data.samples:
        return
    books = _books(data)
    parts = [f"{data.samples:,} samples, audio columns of one {_range(data.lengths)}"]
    parts += [f"text tokens {_range(data.text_lengths)}"] if data.text_lengths else []
    parts += [f"{percent(data.counted / data.cells)} of the audio labels count"] if data.cells else []
    parts += [_of_books(books)] if books else []
    parts += [f"codes repeat most in {data.repetitive[-1][1]}"] if data.repetitive else []
    yield Problem(
        Severity.INFO,
        "; ".join(parts),
        {
            "samples": data.samples,
            "audio_columns": _quantiles(data.lengths),
            "text_tokens": _quantiles(data.text_lengths),
            "labels": data.cells,
            "labels_that_count": data.counted,
            "codebooks": books,
            "most_repetitive": [
                {"share_of_repeats": share, **asdict(place)} for share, place in data.repetitive[: -_SAMPLES - 1 : -1]
            ],
        },
    )


def passed(evidence: Evidence) -> str:
    """It rules nothing out."""
    return ""


def _range(counts: Counter[int]) -> str:
    least, median, most = (quantile(counts, share) for share in (0.0, 0.5, 1.0))
    return f"{least:,} to {most:,}, median {median:,}"


def _quantiles(counts: Counter[int]) -> dict[str, int]:
    return {
        name: quantile(counts, share) for name, share in (("least", 0.0), ("median", 0.5), ("p99", 0.99), ("most", 1.0))
    }


def _books(data: DataFigures) -> list[dict[str, float]]:
    """Of each codebook: how many ids there are, the most frequent one, its share, and the entropy in nats."""
    counts = data.histogram.double()
    whole = counts.sum(1)
    share = counts / whole.clamp(min=1)[:, None]
    entropy = torch.special.entr(share).sum(1)
    return [
        {
            "labels": int(whole[book]),
            "ids": int((counts[book] > 0).sum()),
            "most_frequent": int(counts[book].argmax()),
            "share": float(share[book].max()),
            "entropy": float(entropy[book]),
        }
        for book in (range(len(counts)) if bool(whole.any()) else ())
    ]


def _of_books(books: list[dict[str, float]]) -> str:
    ids, worst = [each["ids"] for each in books], max(range(len(books)), key=lambda book: books[book]["share"])
    top = books[worst]
    return (
        f"{min(ids):,} to {max(ids):,} ids a codebook, entropy from {min(each['entropy'] for each in books):.3g} nats, "
        f"at most {percent(top['share'])} are one id ({top['most_frequent']} in codebook {worst})"
    )
