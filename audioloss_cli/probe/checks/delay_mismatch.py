"""The batch has another delay pattern than the model.

What: The configuration says that codebook k starts k columns late, and the beginnings (BOS) and ends (EOS) of the
codes in this batch say otherwise, or the other way round.

Why: The model was trained to predict codebook k one frame after codebook k - 1. Codes without the delay ask it for
all codebooks at once: training starts from chance again and generation is noise. Public trainers hard-code
use_delay_pattern=False.

Fix: Give the collator the model's own setting: use_delay_pattern = config.use_delay_pattern.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence

_PATTERN = {True: "delayed by one column a codebook", False: "not delayed"}


def check(evidence: Evidence) -> Iterator[Problem]:
    """Over the segments that show their pattern."""
    delayed = evidence.layout.delayed
    seen = _patterns(evidence)
    wrong = [segment for segment, pattern in seen.items() if pattern is not delayed]
    if delayed is None or not wrong:
        return
    yield Problem(
        Severity.CRITICAL,
        f"{len(wrong)} of {len(seen)} segments are {_PATTERN[not delayed]}, the model's configuration says "
        f"{_PATTERN[delayed]}",
        {"segments": wrong, "configured": delayed},
    )


def passed(evidence: Evidence) -> str:
    """Says what was seen."""
    if evidence.layout.delayed is None or not _patterns(evidence):
        return ""
    return f"the codes are {_PATTERN[evidence.layout.delayed]}, as configured"


def _patterns(evidence: Evidence) -> dict[int, bool]:
    """Segment -> whether its codes are delayed, for those that show it."""
    codes, segments, layout = evidence.audio.codes, evidence.audio.segments, evidence.layout
    if codes is None or segments is None or codes.shape[1] <= 1:
        return {}
    found = {}
    for segment in segments.unique().tolist():
        rows = codes[segments == segment]
        pattern = _staircase(rows, layout.bos)
        if pattern is None:
            pattern = _staircase(rows.flip(0).flip(1), layout.eos)
        if pattern is not None:
            found[segment] = pattern
    return found


def _staircase(rows: Tensor, special: int | None) -> bool | None:
    """Leading special ids of each codebook: one more each is a delay, equally many is none; else nothing is known."""
    if special is None:
        return None
    lead = (rows == special).long().cumprod(0).sum(0)
    steps = torch.arange(len(lead), device="cpu")
    if int(lead[0]) >= 1 and bool((lead - lead[0] == steps).all()):
        return True
    return False if int(lead[0]) >= 1 and bool((lead == lead[0]).all()) else None
