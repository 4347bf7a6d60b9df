"""Collating the same samples twice does not give the same labels.

What: The samples of the batch were collated a second time, and labels that counted the first time are now ignored, or
the ignored index has come into the inputs.

Why: The collator writes its mask into the samples, which the dataset keeps: from the second epoch on the labels, and
sometimes the codes, are gone. The loss drops exactly at an epoch boundary.

Fix: Clone in the collator before writing: labels = codes.clone(). Then check that a second pass over the loader gives
the same number of labels that count.
"""

from collections.abc import Iterator

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import percent
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Labels, then inputs."""
    for name, before, after in _pairs(evidence):
        lost = (before != evidence.layout.ignore_index) & (after == evidence.layout.ignore_index)
        if bool(lost.any()):
            yield Problem(
                Severity.CRITICAL,
                f"{int(lost.sum())} audio {name} turn into {evidence.layout.ignore_index} when the same samples are "
                f"collated again: {percent(_share(before, evidence))} count the first time, "
                f"{percent(_share(after, evidence))} the second",
                {"lost": int(lost.sum()), "first": _share(before, evidence), "second": _share(after, evidence)},
            )


def passed(evidence: Evidence) -> str:
    """Says so."""
    return "the same samples collated twice have the same labels" if _pairs(evidence) else ""


def _pairs(evidence: Evidence) -> list[tuple[str, Tensor, Tensor]]:
    """What can be compared; a random crop gives other shapes and says nothing."""
    if evidence.again is None:
        return []
    both = (
        ("labels", evidence.audio.labels, evidence.again.labels),
        ("codes", evidence.audio.codes, evidence.again.codes),
    )
    return [(name, a, b) for name, a, b in both if a is not None and b is not None and a.shape == b.shape]


def _share(rows: Tensor, evidence: Evidence) -> float:
    return float((rows != evidence.layout.ignore_index).float().mean())
