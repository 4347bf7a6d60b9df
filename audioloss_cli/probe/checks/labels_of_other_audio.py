"""The labels are not the codes that are fed in.

What: In some codebook fewer than 30 % of the labels are a code of this batch at any offset near the right one, or
they are the codes of a position that no shift of the loss explains.

Why: Labels of another sample, of another codebook (an axis that was flipped), or built before the delay pattern was
applied, cannot be learnt: the loss stays at chance, or settles at the frequencies of the codes.

Fix: Make codes and labels from one tensor, after the delay pattern: labels = codes.clone(), then mask. Check that
both are padded, sorted and concatenated in the same order.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed
from audioloss_cli.probe.measure.evidence import Evidence

_SHIFTS_WITH_A_NAME = (0, 1, 2)  # a leak, right, a double shift


def check(evidence: Evidence) -> Iterator[Problem]:
    """Unrelated labels, then misplaced ones."""
    match, shift = evidence.label_match, evidence.layout.shift
    if match is None:
        return
    if match.unrelated:
        books = list(match.unrelated)
        yield Problem(
            Severity.CRITICAL,
            f"the labels of codebook {listed(books)} are not the codes that are fed in, at no offset",
            {"codebooks": books},
        )
    offsets = {book: offset for book, offset in enumerate(match.offsets) if offset is not None}
    strange = {book: offset for book, offset in offsets.items() if offset + shift not in _SHIFTS_WITH_A_NAME}
    named = any(offset + shift in (0, 2) for offset in offsets.values())  # which explains the other codebooks too
    if strange and not named:
        where = listed(f"{offset:+d} in codebook {book}" for book, offset in strange.items())
        yield Problem(
            Severity.CRITICAL,
            f"the labels are the codes at offset {where}, the loss shifts them by {shift}: they belong to other "
            f"positions",
            {"offsets": {str(book): offset for book, offset in strange.items()}, "shift": shift},
        )


def passed(evidence: Evidence) -> str:
    """The offset, where it is known in every codebook."""
    match = evidence.label_match
    if match is None or match.unrelated or any(offset is None for offset in match.offsets):
        return ""
    return "the labels are the codes that are fed in"
