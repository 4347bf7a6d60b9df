"""BOS, EOS or the fills of the delay pattern are among the labels that count.

What: More than one label in fifty that counts is BOS or EOS, beside the one EOS that each codebook of each segment may
have. A fact, not a fault: trainers learn with it.

Why: Where a codebook begins and ends is given by the delay pattern: such labels are predicted after a few steps, and
the mean over all labels is lower by about their share. A loss is compared with those of others, and with thresholds,
without them.

Fix: Mask BOS and both fills in the collator, as the original one does: labels[labels >= 1024] = -100 but for the first
EOS of each codebook.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._special import special_labels
from audioloss_cli.probe.checks._words import percent
from audioloss_cli.probe.measure.evidence import Evidence

_FEW = 0.02


def check(evidence: Evidence) -> Iterator[Problem]:
    """Their share of the labels that count."""
    found, valid = special_labels(evidence), evidence.valid
    if found is None or valid is None:
        return
    count, counted = int(found.sum()), int(valid.sum())
    if count > _FEW * counted:
        yield Problem(
            Severity.INFO,
            f"{percent(count / counted)} of the audio labels that count ({count} of {counted}) are BOS, EOS or fills "
            f"of the delay pattern, which are easily learnt: they lower the mean loss by about that share",
            {"special": count, "valid": counted},
        )


def passed(evidence: Evidence) -> str:
    """It rules nothing out."""
    return ""
