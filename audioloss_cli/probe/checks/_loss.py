"""What the checks of the reported loss share; a private module is no plugin."""

import math

from audioloss_cli.probe.measure.evidence import Evidence

# The first frame of a segment is predicted from the text before it, which the recomputation leaves out.
SAME = 0.05
_EQUAL = 1e-3


def differs(evidence: Evidence) -> bool:
    """Whether the reported loss is another number than the recomputed one."""
    reported, recomputed = evidence.reported, evidence.recomputed
    if reported is None or recomputed is None or math.isnan(recomputed):
        return False
    return not abs(reported - recomputed) <= SAME * max(abs(recomputed), 1e-3)


def is_constant(evidence: Evidence) -> bool:
    """Whether the reported loss does not depend on the model, as far as can be told."""
    response, recomputed = evidence.response, evidence.recomputed
    if response is not None:  # it knows whether the text moves it, of which the codes say nothing
        # Where the labels of the batch only say what counts, and the codes are scored, it is what it should be.
        same = recomputed is not None and abs(response.loss - recomputed) <= _EQUAL * abs(recomputed)
        return not response.moved and not response.elsewhere and not same
    if not differs(evidence) or evidence.reported is None or not math.isfinite(evidence.reported):
        return False
    moving = evidence.gradient_source != "total"  # whose gradient may be that of the text
    if moving and any(group.norm > 0 for group in evidence.gradients.values()):
        return False
    if evidence.perturbation is not None and evidence.perturbation.loss_moved is not None:
        return not evidence.perturbation.loss_moved
    return evidence.reported == 0


def is_broken(evidence: Evidence) -> bool:
    """Whether the reported loss is not finite, though the logits are and give one that is."""
    reported, recomputed, stats = evidence.reported, evidence.recomputed, evidence.stats
    if reported is None or recomputed is None or stats is None or math.isfinite(reported):
        return False
    each = (
        evidence.recomputed_by_codebook
    )  # a codebook without labels has no loss, and that is not the loss function's fault
    whole = each is not None and not bool(each.isnan().any())
    return whole and math.isfinite(recomputed) and bool(stats.finite.all())
