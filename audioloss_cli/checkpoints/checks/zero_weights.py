"""Weights are zero throughout.

What: A weight matrix has no value but 0. Biases, norms and one half of a new LoRA are zero by design and left out; so
are other matrices than the audio's at step 0.

Why: An audio head of zeros gives every code the same logit, which is a loss of ln V for good; audio embeddings of
zeros tell the model nothing about what was heard. It is what is left when a weight was never loaded, or never
gathered from the ranks that hold it.

Fix: Compare with the base model (`--against BASE`). If it is zero there too, the base is broken; else the weight was
not loaded under this name, or was saved before it was gathered (DeepSpeed ZeRO 3, FSDP).
"""

from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.weights import weight_matrices
from audioloss_cli.model import Problem, Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for the audio's, one for others."""
    audio, others = list[str](), list[str]()
    for name, _, found, is_audio in weight_matrices(evidence):
        if found.elements and found.zero == found.elements:
            (audio if is_audio else others).append(name)
    if audio:
        text = f"{counted(len(audio), 'audio weight holds', 'audio weights hold')} nothing but zeros: {listed(audio)}"
        yield Problem(Severity.CRITICAL, text, {"tensors": audio})
    if others:
        severity = Severity.INFO if evidence.checkpoint.step == 0 else Severity.WARNING
        text = f"{counted(len(others), 'weight holds', 'weights hold')} nothing but zeros: {listed(others)}"
        yield Problem(severity, text, {"tensors": others})


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the count of matrices that were looked at."""
    count = sum(1 for _ in weight_matrices(evidence))
    return f"none of {counted(count, 'weight matrix', 'weight matrices')} is zero" if count else ""
