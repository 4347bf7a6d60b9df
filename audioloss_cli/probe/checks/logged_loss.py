"""The log says another audio loss than this checkpoint has.

What: The last audio loss of the log that was named with --log-dir, beside the one recomputed here. A warning where
the log is near zero and the recomputed loss is not.

Why: A logged loss of 0.004 over logits that cost 6.9 nats is not the loss of this data: the trainer computed it on
nothing, or swallowed what went wrong.

Fix: Compute the audio loss in the training loop from the logits and labels that were just used, and log that number.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence

_NOTHING, _SOMETHING, _CLOSE = 0.05, 1.0, 0.1


def check(evidence: Evidence) -> Iterator[Problem]:
    """One for each logged loss."""
    each = evidence.recomputed_by_codebook
    if each is None:
        return
    here = float(each.nanmean())
    for item in evidence.logged:
        contradicts = item.value < _NOTHING and here > _SOMETHING and not item.flat
        copied = abs(item.value - evidence.mean_at(0)) <= max(_CLOSE * item.value, _CLOSE * _NOTHING)
        hint = ", which is its cross entropy against the code fed in" if contradicts and copied else ""
        yield Problem(
            Severity.WARNING if contradicts else Severity.INFO,
            f"{item.run} logged {item.tag} {nats(item.value)} at step {item.step}{hint} (lowest {nats(item.lowest)}); "
            f"here the logits cost {nats(here)} a codebook",
            {"tag": item.tag, "step": item.step, "logged": item.value, "recomputed": here},
        )


def passed(evidence: Evidence) -> str:
    """It speaks for no cause by itself."""
    return ""
