"""The two checkpoints are the same.

What: Every tensor that both have is bit by bit the same, and neither has another one.

Why: Nothing was trained between them: no parameter requires a gradient, the optimiser holds parameters of another copy
of the model, its learning rate is 0, every step was skipped (a scaler that meets infinities), or the save wrote the
model that the run began with. Or the two are copies.

Fix: Compare the norm of a weight before and after one optimiser step; look at the learning rate and at skipped steps.
"""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.checkpoints.checks._changes import after, changed
from audioloss_cli.checkpoints.comparison import Comparison
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Critical after steps of training; a warning where nobody says how many, and for a copy in another directory."""
    comparison = evidence.comparison
    if comparison is None or not _is_whole(comparison) or changed(comparison.changes):
        return
    beside = Path(comparison.path).absolute().parent == evidence.checkpoint.path.absolute().parent
    if comparison.steps == 0 and beside:
        return  # one step, saved twice: with an optimizer and without, or as the last and the best
    count = len(comparison.changes)
    what = f"bit by bit the same {after(comparison)}: nothing was trained"
    if comparison.steps == 0:
        what = f"bit by bit those of {comparison.path}, of the same step: one is a copy of the other"
    yield Problem(
        Severity.CRITICAL if comparison.steps else Severity.WARNING,
        f"all {count:,} tensors are {what}",
        {"tensors": count, "steps": comparison.steps},
    )


def passed(evidence: CheckpointEvidence) -> str:
    """How many tensors changed."""
    comparison = evidence.comparison
    moved = changed(comparison.changes) if comparison else []
    return f"{len(moved):,} of {len(comparison.changes):,} tensors changed" if comparison and moved else ""


def _is_whole(comparison: Comparison) -> bool:
    others = (comparison.only_here, comparison.only_there, comparison.reshaped, comparison.unread)
    return bool(comparison.changes) and not any(others)
