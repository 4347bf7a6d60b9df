"""Weights have no values at all.

What: A weight has an axis of length 0. This is seen in headers alone.

Why: DeepSpeed ZeRO 3 and FSDP leave such placeholders in the model that each rank holds; a checkpoint that was saved
without gathering them has the names of all weights, and none of their values.

Fix: Save through the trainer (`stage3_gather_16bit_weights_on_model_save`, `FULL_STATE_DICT`), or make a whole
checkpoint of the ranks' files (`zero_to_fp32.py`).
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.weights import is_float
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names them."""
    weights = _weights(evidence)
    empty = [name for name in weights if not evidence.checkpoint.tensors[name].elements]
    if empty:
        text = f"{counted(len(empty), 'weight has', 'weights have')} no values, of {len(weights):,}: {listed(empty)}"
        yield Problem(Severity.CRITICAL, text, {"tensors": empty})


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the count of weights."""
    count = len(_weights(evidence))
    return f"each of {counted(count, 'weight')} has values" if count else ""


def _weights(evidence: CheckpointEvidence) -> list[str]:
    tensors = evidence.checkpoint.tensors
    return [name for name, tensor in tensors.items() if name.endswith("weight") and is_float(tensor)]
