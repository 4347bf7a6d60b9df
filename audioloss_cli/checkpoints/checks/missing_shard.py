"""A part of the weights is missing.

What: A file that the index (or ``.metadata``) names is not there, a number of the series is left out, or the index is.

Why: What lies in the missing file is not loaded. Loaders that do not stop there leave those weights as they were made
at random, and the loss starts over.

Fix: Copy the missing file from where the checkpoint was saved; downloads that broke off can be resumed. If it was never
written, go back to an earlier checkpoint.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import counted
from audioloss_cli.model import Problem

CODE = "missing-shard"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield what was missed while files were opened."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell in how many files the tensors lie."""
    files = {tensor.file for tensor in evidence.checkpoint.tensors.values()}
    return f"each of the {counted(len(files), 'file')} of weights is there" if len(files) > 1 else ""
