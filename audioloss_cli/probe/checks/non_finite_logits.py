"""The audio logits hold NaN or infinities.

What: NaN or +Infinity in the audio logits; -Infinity is a mask and legal. A fact, where no label counts at any of
them.

Why: The loss of such a cell is NaN, and one optimiser step on it destroys the weights. Trainers that filter NaN from
their logs show a plausible number instead.

Fix: Check the weights first (a checkpoint saved after the NaN holds it), then the precision: float16 overflows at
65504, bfloat16 does not.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Counts and the first place."""
    stats = evidence.stats
    if stats is None:
        return
    nan, infinite = int(stats.nan_count.sum()), int(stats.positive_infinity_count.sum())
    if nan or infinite:
        row, book, index = stats.first_non_finite or (0, 0, 0)
        harmless = _is_unscored(evidence)
        yield Problem(
            Severity.INFO if harmless else Severity.CRITICAL,
            f"the audio logits hold {nan} NaN and {infinite} +Infinity, the first in row {row}, codebook {book}, "
            f"id {index}" + (", all of them where no label counts" if harmless else ""),
            {"nan": nan, "infinite": infinite, "by_codebook": stats.nan_count.tolist(), "first": [row, book, index]},
        )


def _is_unscored(evidence: Evidence) -> bool:
    """Whether every cell with a label that counts is finite: models fill with NaN what has no prediction (Moshi)."""
    stats, place = evidence.stats, len(OFFSETS)
    if stats is None or len(stats.valid) <= place:
        return False
    scored = stats.valid[place]
    return bool(scored.any()) and bool(stats.finite[scored].all())


def passed(evidence: Evidence) -> str:
    """The range."""
    stats = evidence.stats
    if stats is None or not stats.shape[0]:
        return ""
    return f"the audio logits lie in {float(stats.minimum.min()):.4g} .. {float(stats.maximum.max()):.4g}"
