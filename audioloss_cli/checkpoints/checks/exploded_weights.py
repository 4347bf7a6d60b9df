"""Weights have gone far away from where they were.

What: The difference of a matrix from the one that the checkpoint is compared with (--against) is more than 10 times
that one's norm; critical from 1000 times on. Matrices that began next to zero, vectors and LoRAs are left out.

Why: A learning rate that is far too high, or steps that were not clipped. Such a model gives noise, though no number of
it is NaN yet.

Fix: Go back to a checkpoint before that, lower the learning rate, clip gradients, and warm up.
"""

import math
from collections.abc import Iterator

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.words import listed
from audioloss_cli.model import Problem, Severity

_FAR, _LOST = 10.0, 1000.0
_NEXT_TO_ZERO = 1e-4  # root mean square; freshly made matrices have 0.01 and more


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem that names the worst."""
    ratios = {name: ratio for name, ratio in _ratios(evidence).items() if ratio > _FAR}
    if ratios:
        worst = sorted(ratios, key=lambda name: -ratios[name])
        yield Problem(
            Severity.CRITICAL if ratios[worst[0]] > _LOST else Severity.WARNING,
            f"{len(ratios):,} matrices changed by more than {_FAR:g} times their norm: "
            + listed(f"{name} by {ratios[name]:.3g} times" for name in worst),
            {"tensors": {name: ratios[name] for name in worst}},
        )


def passed(evidence: CheckpointEvidence) -> str:
    """The largest change."""
    ratios = _ratios(evidence)
    worst = max(ratios, key=lambda name: ratios[name], default="")
    return f"no matrix changed by more than {ratios[worst]:.3g} times its norm" if worst else ""


def _ratios(evidence: CheckpointEvidence) -> dict[str, float]:
    """Return name -> norm of the difference over that of the base; what is not finite is another check's."""
    found, tensors = dict[str, float](), evidence.checkpoint.tensors
    for name, change in (evidence.comparison.changes if evidence.comparison else {}).items():
        tensor = tensors.get(name)
        if tensor is None or len(tensor.shape) <= 1 or ".lora_" in name or not math.isfinite(change.norm):
            continue
        least = _NEXT_TO_ZERO * math.sqrt(tensor.elements)
        if math.isfinite(change.base_norm) and change.base_norm > least:
            found[name] = change.norm / change.base_norm
    return found
