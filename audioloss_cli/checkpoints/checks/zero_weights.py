"""Weights are zero throughout.

What: A weight matrix has no value but 0, or a norm has none while most norms of the model have others. Biases and one
half of a new LoRA are zero by design and left out; so are others than the audio's at step 0.

Why: An audio head of zeros gives every code the same logit, which is a loss of ln V for good; audio embeddings of
zeros tell the model nothing about what was heard. It is what is left when a weight was never loaded, or never
gathered from the ranks that hold it. A norm of zeros lets nothing through.

Fix: Compare with the base model (`--against BASE`). If it is zero there too, the base is broken; else the weight was
not loaded under this name, or was saved before it was gathered (DeepSpeed ZeRO 3, FSDP).
"""

import re
from collections.abc import Iterator

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.weights import audio_names, is_float, weight_matrices
from audioloss_cli.model import Problem, Severity

_NORM = re.compile(r"(?:layernorm|layer_norm|(?:^|[._])norm)\.weight$")


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for the audio's, one for others."""
    audio, others = list[str](), list[str]()
    for name, _, found, is_audio in weight_matrices(evidence):
        if found.elements and found.zero == found.elements:
            (audio if is_audio else others).append(name)
    for name in _zero_norms(evidence):
        (audio if name in audio_names(evidence) else others).append(name)
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


def _zero_norms(evidence: CheckpointEvidence) -> list[str]:
    """Return the norms that are zero where less than half are: those of some models are all zero as they begin."""
    tensors, found = evidence.checkpoint.tensors, evidence.statistics
    norms = [name for name in found if _NORM.search(name) and name in tensors and is_float(tensors[name])]
    zero = [name for name in norms if found[name].elements > 1 and found[name].zero == found[name].elements]
    return zero if 2 * len(zero) < len(norms) else []
