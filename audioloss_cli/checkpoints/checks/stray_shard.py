"""A part of other weights lies beside these.

What: A shard that the index does not name, or the states of more ranks than the checkpoint was saved on.

Why: It is left of an earlier save into the same directory. Loaders that take every file that they find mix the two.

Fix: Remove the files that are named, or save into an empty directory.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Problem

CODE = "stray-shard"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield what was found beside the weights while files were opened."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell of weights in several files; one file has no stray one beside it."""
    files = {tensor.file for tensor in evidence.checkpoint.tensors.values()}
    return "no shard of another save lies beside the weights" if len(files) > 1 else ""
