"""The audio loss, measured independently.

What: The cross entropy of the audio logits against the codes at label offsets 0 (the code fed in), +1 (the next) and
+2, per codebook, beside ln V, which is guessing. A fact, not a fault.

Why: A small loss alone cannot tell learning from copying. The offset at which it is small can.

Fix: Nothing. Look for the smallest of the three: +1 is right, 0 is a label leak, +2 a double shift.
"""

import math
from collections.abc import Iterator

import torch

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence

_CHANCE = 0.15


def check(evidence: Evidence) -> Iterator[Problem]:
    """Always, where it could be measured."""
    if evidence.next_by_codebook is None or math.isnan(evidence.next_loss):
        return
    each = ", ".join(f"{offset:+d}: {nats(evidence.mean_at(offset))}" for offset in OFFSETS)
    few = math.isnan(evidence.mean_at(1))
    text = (
        f"cross entropy against the next code {nats(evidence.next_loss)} nats; "
        "too few codes in a row to compare offsets"
        if few
        else f"cross entropy by label offset {each} nats"
    )
    yield Problem(
        Severity.INFO,
        f"{text}; guessing is {nats(evidence.chance)}{_level(evidence)}",
        {
            "chance": evidence.chance,
            "next": evidence.next_by_codebook.tolist(),
            "by_offset": {str(offset): evidence.mean_at(offset) for offset in OFFSETS},
            "by_codebook": _by_codebook(evidence),
            "by_segment": _by_segment(evidence),
            "reported": evidence.reported,
            "recomputed": evidence.recomputed,
        },
    )


def passed(evidence: Evidence) -> str:
    """It is no fault."""
    return ""


def _by_codebook(evidence: Evidence) -> dict[str, list[float]]:
    table = evidence.by_offset
    return {} if table is None else {str(offset): table[index].tolist() for index, offset in enumerate(OFFSETS)}


def _level(evidence: Evidence) -> str:
    return ": chance level" if abs(evidence.next_loss - evidence.chance) < _CHANCE else ""


def _by_segment(evidence: Evidence) -> dict[str, list[float]]:
    """Segment -> its mean cross entropy at each offset, of the first segments."""
    segments, stats = evidence.audio.segments, evidence.stats
    if segments is None or stats is None or len(segments) != stats.shape[0]:
        return {}
    first = segments.unique().tolist()[:64]
    parts = stats.cross_entropy[: len(OFFSETS)]
    return {str(segment): torch.nanmean(parts[:, segments == segment], dim=(1, 2)).tolist() for segment in first}
