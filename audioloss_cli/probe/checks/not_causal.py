"""The model sees the code that it has to predict.

What: One code was changed, and logits at positions before it, which predict it or what precedes it, changed too.

Why: A mask that is not causal, or audio embeddings that are one position late, let the model read the answer: the
loss falls to nothing and generation, where there is no answer to read, is noise.

Fix: Check the attention mask of the audio positions (causal, 4-D masks in particular) and that position t is fed the
code at t, not at t + 1.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence

# Kernels may round differently for another input; a leak moves logits by parts of their spread.
_ROUNDING = 0.02


def check(evidence: Evidence) -> Iterator[Problem]:
    """Against the spread of the logits."""
    moved = evidence.perturbation
    if moved is None or moved.before is None or not moved.before > _rounding(evidence):
        return
    yield Problem(
        Severity.CRITICAL,
        f"changing the codes of column {moved.row} moves logits before it by up to {moved.before:.3g}",
        {"column": moved.row, "before": moved.before, "after": moved.after},
    )


def passed(evidence: Evidence) -> str:
    """How little moved."""
    moved = evidence.perturbation
    if moved is None or moved.before is None or not moved.before <= _rounding(evidence):
        return ""
    return f"changing the codes of column {moved.row} moves no logit before it"


def _rounding(evidence: Evidence) -> float:
    """NaN where no logit is finite: nothing can be told."""
    return math.nan if evidence.stats is None else _ROUNDING * float(evidence.stats.std.nanmean())
