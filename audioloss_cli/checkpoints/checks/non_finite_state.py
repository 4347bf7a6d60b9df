"""The state of an optimizer holds NaN or an infinity.

What: A tensor of an optimizer that is kept beside the weights has values that are NaN or infinite. Critical for NaN.

Why: The weights may still be good, and are not for long: the first step of a training that is resumed from here adds
the NaN to them. A second moment that is infinite stops its weight from learning for good.

Fix: Resume from an earlier checkpoint, or load these weights into a new training with a new optimizer.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names them."""
    bad = {name: found for name, found in evidence.state_statistics.items() if found.nan or found.infinite}
    if bad:
        text = listed(
            (f"{name} ({found.nan + found.infinite:,} of {found.elements:,})" for name, found in bad.items()), 4
        )
        numbers = {name: {"nan": found.nan, "infinite": found.infinite} for name, found in bad.items()}
        yield Problem(
            Severity.CRITICAL if any(found.nan for found in bad.values()) else Severity.WARNING,
            f"{counted(len(bad), 'tensor', 'tensors')} of optimizers hold NaN or infinity: {text}",
            {"tensors": numbers},
        )


def passed(evidence: CheckpointEvidence) -> str:
    """How many were looked at."""
    count = len(evidence.state_statistics)
    return f"no NaN and no infinity in {counted(count, 'tensor')} of optimizers" if count else ""
