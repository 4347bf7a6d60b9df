"""The index claims another size than the shards have.

What: The ``total_size`` of the index is not the number of bytes that the tensors of its shards have.

Why: The index was written for other weights: of another dtype, or of a model with more or fewer tensors. transformers
loads it without a word.

Fix: Save the model again with ``save_pretrained``. If the weights were converted on purpose, correct total_size.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.model import Problem

CODE = "wrong-total-size"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield what the index claims wrongly."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell of checkpoints that have an index."""
    opened = evidence.checkpoint
    has_index = any(file.name.endswith(".index.json") for file in opened.files)
    nbytes = sum(tensor.nbytes for tensor in opened.tensors.values())
    return f"the size in the index is that of the tensors, {nbytes:,} bytes" if has_index else ""
