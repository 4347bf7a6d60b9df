"""The model raised on this batch.

What: The forward pass ended in an exception, or was not tried because it would break the device (an index out of
range kills a CUDA context).

Why: A training loop that catches exceptions goes on without this batch, or with a constant in place of its loss.

Fix: The other findings most often name the cause. If there is none, call the model on the batch (--dump-batch writes
it down) outside the training loop.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """What was raised."""
    if evidence.failure:
        yield Problem(Severity.CRITICAL, evidence.failure, {})


def passed(evidence: Evidence) -> str:
    """Says so."""
    return "the forward pass came through" if evidence.stats is not None else ""
