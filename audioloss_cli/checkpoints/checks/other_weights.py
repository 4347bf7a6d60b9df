"""The two checkpoints do not hold the same tensors.

What: Tensors that only one of the two has (--against), that have another shape, or whose values could not be compared.
A warning where shapes differ or where no tensor could be compared at all; otherwise a fact: an adapter holds none of
its base's, and a head may be new.

Why: What could not be compared was not judged. Two checkpoints without a common tensor are not of one model, or their
names are of two layouts.

Fix: Compare with the base that the training began with, in the same layout.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.comparison import Comparison
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.lora import is_adapter
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Shapes, then what was not read, then names."""
    comparison = evidence.comparison
    if comparison is None:
        return
    alone = is_adapter(evidence.checkpoint)
    if not comparison.changes and not alone:
        yield Problem(
            Severity.WARNING,
            f"nothing could be compared with {comparison.path}: no tensor is in both with one shape",
            {"only_here": len(comparison.only_here), "only_there": len(comparison.only_there)},
        )
    if comparison.reshaped:
        names = comparison.reshaped
        message = f"{counted(len(names), 'tensor')} have another shape than in {comparison.path}: {listed(names)}"
        yield Problem(Severity.WARNING, message, {"reshaped": names})
    if comparison.unread:
        reasons = (f"{name} ({reason})" for name, reason in comparison.unread.items())
        message = f"{counted(len(comparison.unread), 'tensor')} could not be compared: {listed(reasons)}"
        yield Problem(Severity.WARNING, message, {"unread": dict(comparison.unread)})
    if comparison.only_here or comparison.only_there:
        yield _names(comparison, alone=alone)


def passed(evidence: CheckpointEvidence) -> str:
    """How many were compared, if all were."""
    comparison = evidence.comparison
    if comparison is None or not comparison.changes or any(check(evidence)):
        return ""
    return f"all {len(comparison.changes):,} tensors are in both"


def _names(comparison: Comparison, *, alone: bool) -> Problem:
    told = [
        f"{counted(len(names), 'tensor')} only in {where} ({listed(names)})"
        for names, where in ((comparison.only_here, "this one"), (comparison.only_there, comparison.path))
        if names
    ]
    why = "; it is an adapter, without the tensors of its base" if alone else ""
    numbers = {"only_here": comparison.only_here, "only_there": comparison.only_there}
    return Problem(Severity.INFO, "; ".join(told) + why, numbers)
