"""The loss does not reach the audio parameters.

What: After a backward pass a group of audio parameters that may be trained has no gradient, or one that is zero
everywhere. The pass starts from the loss that the model returns when it gets the text labels too, if it is of your own
making; else from its audio loss; and from the probe's own cross entropy if it reports none. With --backward only.

Why: The audio loss was computed, logged, and never added to the total, or it was detached: the audio head stays as it
was.

Fix: Add the audio loss to the loss that the model returns, and remove detach(), .item() and no_grad() between the
logits and that sum.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._loss import is_constant
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence

_LOSSES = {"total": "the loss that the model returns", "recomputed": "the cross entropy of the logits"}


def check(evidence: Evidence) -> Iterator[Problem]:
    """Of the head before all; the others depend on it."""
    if is_constant(evidence):
        return  # of which nothing has a gradient, and the constant is the cause
    dead = [name for name, group in evidence.audio_gradients.items() if group.trainable and group.norm == 0]
    if dead:
        loss = _LOSSES.get(evidence.gradient_source, "the loss")
        yield Problem(Severity.CRITICAL, f"{loss} has no gradient in the audio {listed(dead)}", {"groups": dead})


def passed(evidence: Evidence) -> str:
    """The norms; the probe's own loss says nothing about that of the training."""
    if evidence.gradient_source == "recomputed":
        return ""
    norms = [f"{name} {group.norm:.3g}" for name, group in evidence.audio_gradients.items() if group.trainable]
    return f"gradient norms: {listed(norms)}" if norms else ""
