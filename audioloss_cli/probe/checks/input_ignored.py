"""The audio codes have no influence on the logits.

What: One code was changed, and no logit at its position or after it changed at all.

Why: The codes do not reach the model: it trains on placeholder embeddings, and learns how often each code occurs.

Fix: Follow the codes from the batch into the forward: a wrapper that does not pass them on, a mask that is false, or
a config whose placeholder id is not that of the tokenizer.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Not even by rounding, though the logits differ from each other."""
    moved, stats = evidence.perturbation, evidence.stats
    if moved is None or not moved.deaf or not _speaks(evidence):
        return
    every = stats is not None and len(moved.deaf) == stats.shape[1]
    which = "the codes" if every else f"those of codebook {listed(moved.deaf, 12)}"
    yield Problem(
        Severity.CRITICAL,
        f"changing the codes of column {moved.row} changes no logit at all: {which} do not reach the model",
        {"column": moved.row, "codebooks": list(moved.deaf)},
    )


def passed(evidence: Evidence) -> str:
    """How much moved."""
    moved = evidence.perturbation
    if moved is None or moved.deaf or moved.after == 0:
        return ""
    return f"changing the codes of one column moves the logits after it by up to {moved.after:.3g}"


def _speaks(evidence: Evidence) -> bool:
    """A head of zeros hides everything."""
    return evidence.stats is not None and bool((evidence.stats.std > 0).any())
