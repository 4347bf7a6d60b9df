"""No audio label counts.

What: Every audio label of the batch is the ignored index.

Why: The cross entropy of no labels is NaN, or 0 where the sum is divided by something else. Trainers that filter NaN
from their logs (logging_nan_inf_filter=True) show a loss of 0.0.

Fix: Find where the labels are masked: a collator that masks by role and knows no assistant turn, a processor that was
not asked for labels, or a mask applied twice.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Of labels that are there."""
    valid = evidence.valid
    if valid is not None and valid.numel() and not bool(valid.any()):
        yield Problem(
            Severity.CRITICAL,
            f"all {valid.numel()} audio labels are {evidence.layout.ignore_index}: there is nothing to learn",
            {"labels": valid.numel(), "valid": 0},
        )


def passed(evidence: Evidence) -> str:
    """How many count."""
    valid = evidence.valid
    if valid is None or not valid.numel():
        return ""
    return f"{int(valid.sum())} of {valid.numel()} audio labels count"
