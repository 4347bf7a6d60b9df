"""The gradient of the audio loss is NaN or infinite.

What: After a backward pass some group of audio parameters has a gradient with a NaN or an infinity. With --backward
only.

Why: One optimiser step on it destroys the weights; gradient clipping multiplies every gradient by NaN and makes it
worse.

Fix: Check the batch for samples without any label that counts, then the precision: use bfloat16, or a loss scaler
with float16.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """One problem that names the groups."""
    broken = [name for name, group in evidence.gradients.items() if not math.isfinite(group.norm)]
    if broken:
        yield Problem(
            Severity.CRITICAL, f"the gradient in the audio {listed(broken)} is not finite", {"groups": broken}
        )


def passed(evidence: Evidence) -> str:
    """Says so."""
    return "all gradients are finite" if evidence.gradients else ""
