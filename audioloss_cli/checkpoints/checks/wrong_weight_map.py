"""The index of the shards says something else than the shards.

What: The index (``weight_map``) names a tensor that lies in no shard, or in another one, or a shard has tensors that it
does not name.

Why: The library transformers loads such a checkpoint without a word: what the index does not find stays as it was made
at random.

Fix: Save the model again with ``save_pretrained``, which writes the index; or write weight_map anew from the headers
of the shards.
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.check import faults_of
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import counted
from audioloss_cli.model import Problem

CODE = "wrong-weight-map"


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Yield where the index and its shards differ."""
    yield from faults_of(evidence, CODE)


def passed(evidence: CheckpointEvidence) -> str:
    """Tell of checkpoints that have an index."""
    opened = evidence.checkpoint
    has_index = any(file.name.endswith(".index.json") for file in opened.files)
    return f"the index places all {counted(len(opened.tensors), 'tensor')} right" if has_index else ""
