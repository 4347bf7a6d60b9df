"""The loss that the model returns has no audio in it.

What: With every audio label changed, the loss of the whole stays the same to the last bit, and with other text it
changes.

Why: The audio loss is computed, and perhaps logged, and never added to what is minimised: the text improves and the
audio stays at chance.

Fix: Return text_loss + audio_loss from the forward. A loss of the labels that is computed outside of the forward is
another matter: give a forward that does not take audio labels.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Where the model takes the audio labels, and returns a loss."""
    found, stats = evidence.response, evidence.stats
    if stats is not None and bool(stats.nan_count.any()):
        return  # a trainer may leave out what is no number, whatever the labels are
    if found is not None and not found.moved and found.elsewhere:
        yield Problem(
            Severity.CRITICAL,
            f"the loss of {nats(found.loss)} that the model returns changes with the text and not with the audio "
            f"labels: the audio loss is not added to it",
            {"loss": found.loss},
        )


def passed(evidence: Evidence) -> str:
    """The loss that moved."""
    found = evidence.response
    if found is None or not found.moved:
        return ""
    return f"the loss of {nats(found.loss)} that the model returns changes with the audio labels"
