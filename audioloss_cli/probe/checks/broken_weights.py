"""The weights are broken before anything is computed.

What: A weight of the checkpoint holds NaN or an infinity, or an audio weight is zero everywhere or one constant.

Why: A checkpoint saved after a NaN step is lost; an audio head of zeros gives every id the same logit.

Fix: Go back to an earlier checkpoint. If the audio weights are zero in the first one too, they were never loaded from
the base.
"""

import re
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence

_NOT_FINITE = ("NaN", "infinite")


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem that names them."""
    bad = {name: fault for name, fault in evidence.weights.faults.items() if _matters(name, fault, evidence)}
    if bad:
        text = listed(f"{name} ({fault})" for name, fault in bad.items())
        yield Problem(Severity.CRITICAL, f"{len(bad)} weights are broken: {text}", {"weights": bad})


def passed(evidence: Evidence) -> str:
    """Says so."""
    return "" if evidence.kept is None else "no weight is NaN, infinite or, of the audio ones, constant"


def _matters(name: str, fault: str, evidence: Evidence) -> bool:
    """Zeros are healthy elsewhere: biases, and one half of a new LoRA."""
    if fault in _NOT_FINITE:
        return True
    parameters = evidence.layout.parameters
    audio = any(re.search(parameters[group], name) for group in ("head", "embeddings") if group in parameters)
    return audio and "lora_" not in name
