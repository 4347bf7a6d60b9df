"""The model copies the code that it is fed.

What: The cross entropy against the code at offset 0, which is the model's own input, is at least 1 nat below that of
the next code, for the mean or for some codebook; or the labels are such that they are held against logits of their
own position.

Why: Without the shift by one the answer is the question: the loss falls below 0.01 within a few hundred steps,
held-out too, and generation repeats its input. On random codes: 0.0016 at offset 0, 9.03 at offset +1.

Fix: Shift once: hold logits[t] against the code at t + 1, as in cross_entropy(logits[:-1], codes[1:]) within each
segment. Throw away the checkpoints of this run.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed, nats
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence

_MARGIN, _COPIED, _ABSURD = 1.0, 0.7, 0.25
_SAME, _OTHER = 2e-5, 2e-4


def check(evidence: Evidence) -> Iterator[Problem]:
    """By what the model learnt, by how the batch is laid out, and by what the reported loss is."""
    yield from _learnt(evidence)
    yield from _laid_out(evidence)
    reported, right, unshifted = evidence.reported, evidence.recomputed, evidence.recomputed_unshifted
    if reported is None or right is None or unshifted is None or not _is_unshifted(evidence):
        yield from _by_response(evidence)
        return
    yield Problem(
        Severity.CRITICAL,
        f"the model reports {reported:.6g}, which is its cross entropy against the labels at its own positions "
        f"({unshifted:.6g}), not against the next ones ({right:.6g})",
        {"reported": reported, "unshifted": unshifted, "shifted": right},
    )


def passed(evidence: Evidence) -> str:
    """Both cross entropies, if the model has learnt anything by which they could differ."""
    if not evidence.tells_offsets_apart:
        return ""
    return f"cross entropy is {nats(evidence.mean_at(0))} at offset 0 and {nats(evidence.mean_at(1))} at +1"


def _learnt(evidence: Evidence) -> Iterator[Problem]:
    table = evidence.by_offset
    if table is None:
        return
    # A calibrated model expects the code it was fed as often as codes repeat: by Jensen's inequality it pays at least
    # -ln r for it, r being that share, which is known to some standard errors only.
    copies = table[0] < _COPIED * -evidence.repeats.log()
    absurd = table[OFFSETS.index(1)] > evidence.chance + _ABSURD
    cheaper = evidence.lower(0, than=1, margin=_MARGIN) & (table[0] < evidence.chance - _MARGIN)
    leaking = cheaper & (copies | absurd)
    books = leaking.nonzero().flatten().tolist()
    if books:
        which = "" if len(books) == len(leaking) else f" (codebooks {listed(books)})"
        here, after = (float(table[OFFSETS.index(o), books].nanmean()) for o in (0, 1))
        yield Problem(
            Severity.CRITICAL,
            f"cross entropy is {nats(here)} against the code fed in at the same position and {nats(after)} against the "
            f"next{which}; guessing is {nats(evidence.chance)}",
            {"offset_0": here, "offset_1": after, "codebooks": books, "chance": evidence.chance},
        )


def _laid_out(evidence: Evidence) -> Iterator[Problem]:
    match, shift = evidence.label_match, evidence.layout.shift
    books = [] if match is None else [k for k, offset in enumerate(match.offsets) if offset == -shift]
    if books:
        yield Problem(
            Severity.CRITICAL,
            f"the labels are the codes at offset {-shift:+d} and the loss shifts them by {shift}: logits are held "
            f"against the code that they are fed",
            {"label_offset": -shift, "shift": shift, "codebooks": books},
        )


def _by_response(evidence: Evidence) -> Iterator[Problem]:
    """Of a loss that is more than audio: by how much it changes with the labels."""
    found = evidence.response
    if found is not None and found.offset == 0 and evidence.layout.shift == 1:
        yield Problem(
            Severity.CRITICAL,
            f"the loss of {nats(found.loss)} that the model returns changes with the audio labels as their cross "
            f"entropy at the logits of their own positions does, not at those of the positions before",
            {"loss": found.loss, "offset": 0},
        )


def _is_unshifted(evidence: Evidence) -> bool:
    """To the precision of float32; in another precision two losses near chance cannot be told apart."""
    reported, right, unshifted = evidence.reported, evidence.recomputed, evidence.recomputed_unshifted
    if reported is None or right is None or unshifted is None or evidence.layout.shift != 1 or evidence.stats is None:
        return False
    same, other = abs(reported - unshifted), abs(reported - right)
    return evidence.stats.dtype == "float32" and same <= _SAME * abs(unshifted) and other > _OTHER * abs(unshifted)
