"""The labels are shifted twice.

What: The cross entropy against the code at offset +2 is below that at +1, by half a nat in half of the codebooks or by
a tenth of a nat in the mean of all, and by far more than chance explains; or the labels of the
batch are already shifted and the model's loss shifts them again.

Why: The model learns to skip a frame. The loss looks healthy, generation is garbled.

Fix: Shift in one place: leave the labels where the codes are if the model shifts inside, as HiggsAudioV2 and every
causal model of transformers does.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence

_MARGIN, _OF_ALL, _TWICE = 0.5, 0.1, 2


def check(evidence: Evidence) -> Iterator[Problem]:
    """By what the model learnt, and by how the batch is laid out."""
    one, two = evidence.mean_at(1), evidence.mean_at(2)
    later = evidence.lower(2, than=1, margin=_MARGIN)
    many = len(later) > 0 and 2 * int(later.sum()) >= len(later)
    found = many or bool(evidence.lower(2, than=1, margin=_OF_ALL, together=True).any())
    if found and two < evidence.chance - _MARGIN and two <= evidence.mean_at(0):
        yield Problem(
            Severity.CRITICAL,
            f"cross entropy is {nats(one)} against the next code and {nats(two)} against the one after it",
            {"offset_1": one, "offset_2": two},
        )
    match, shift = evidence.label_match, evidence.layout.shift
    books = [] if match is None else [k for k, offset in enumerate(match.offsets) if offset == _TWICE - shift]
    if books:
        yield Problem(
            Severity.CRITICAL,
            f"the labels are already the codes at offset {_TWICE - shift:+d}, the loss of {evidence.layout.name} "
            f"shifts them by {shift} more",
            {"label_offset": _TWICE - shift, "shift": shift, "codebooks": books},
        )
    response = evidence.response
    if response is not None and response.offset == _TWICE and shift == 1:
        yield Problem(
            Severity.CRITICAL,
            f"the loss of {nats(response.loss)} that the model returns changes with the audio labels as their cross "
            f"entropy two positions earlier does",
            {"loss": response.loss, "offset": _TWICE},
        )


def passed(evidence: Evidence) -> str:
    """Both cross entropies, if the model has learnt anything by which they could differ."""
    if not evidence.tells_offsets_apart:
        return ""
    return f"cross entropy is {nats(evidence.mean_at(1))} at offset +1 and {nats(evidence.mean_at(2))} at +2"
