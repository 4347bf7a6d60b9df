"""The log holds one and the same loss from its beginning to its end.

What: Every finite value of an audited loss of the log is the same number below 0.05, and the logits here cost more
than 1 nat.

Why: No loss that is computed from logits stays the same to the last digit: a constant was logged in its place, for
which an exception or a NaN was swallowed.

Fix: Log the number that was just computed, and let what raises raise.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence

_NOTHING, _SOMETHING = 0.05, 1.0


def check(evidence: Evidence) -> Iterator[Problem]:
    """One for each series that is flat."""
    each = evidence.recomputed_by_codebook
    here = 0.0 if each is None else float(each.nanmean())
    for item in evidence.logged:
        if item.flat and item.value < _NOTHING and here > _SOMETHING:
            yield Problem(
                Severity.WARNING,
                f"{item.run} logged {item.tag} {nats(item.value)} at every step up to {item.step}; here the logits "
                f"cost {nats(here)} a codebook",
                {"tag": item.tag, "step": item.step, "logged": item.value, "recomputed": here},
            )


def passed(evidence: Evidence) -> str:
    """It rules nothing out by itself."""
    return ""
