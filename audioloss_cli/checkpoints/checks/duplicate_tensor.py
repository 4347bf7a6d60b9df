"""One tensor is there twice.

What: Two shards hold a tensor of the same name, or the header of one file has a name twice.

Why: Which of the two is loaded depends on the library, and on the order in which it opens files: two programs see two
models.

Fix: Save the model again into an empty directory. If the two differ, find out which one is meant before.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import counted
from audioloss_cli.model import Problem

CODE = "duplicate-tensor"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield names that were met twice while files were opened."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell how many names there are."""
    tensors = evidence.checkpoint.tensors
    return f"the names of {counted(len(tensors), 'tensor')} are all different" if tensors else ""
