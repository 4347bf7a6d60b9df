"""Weights are one number throughout.

What: A weight matrix has the same value, other than 0, everywhere. Norms and scales are so by design and left out.

Why: Its outputs are all the same, so whatever the matrix should tell apart (codes, channels) is not told apart, and
all of its rows get the same gradient for good. It is what is left of an initialisation that was never overwritten.

Fix: Look for its name in the messages of the load (`missing keys`, `newly initialized`), and compare with the base
model (`--against BASE`).
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.weights import weight_matrices
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for the audio's, one for others."""
    audio, others = dict[str, float](), dict[str, float]()
    for name, _, found, is_audio in weight_matrices(evidence):
        if found.is_constant and found.highest != 0:
            (audio if is_audio else others)[name] = found.highest
    for values, severity, what in ((audio, Severity.CRITICAL, "audio weight"), (others, Severity.WARNING, "weight")):
        if values:
            text = listed(f"{name} ({value:.6g})" for name, value in values.items())
            text = f"{counted(len(values), f'{what} holds', f'{what}s hold')} one number throughout: {text}"
            yield Problem(severity, text, {"tensors": values})


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the count of matrices that were looked at."""
    count = sum(1 for _ in weight_matrices(evidence))
    return f"none of {counted(count, 'weight matrix', 'weight matrices')} is one number" if count else ""
