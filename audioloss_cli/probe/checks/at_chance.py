"""The model has trained and predicts audio no better than guessing.

What: After at least 200 optimiser steps the cross entropy against the code is within 0.1 nats of ln V, or above it, at
every label offset. How long it trained is told by trainer_state.json beside the checkpoint or by the log of --log-dir.

Why: Within 200 steps an audio head learns at least how often each code occurs. One that has not was not trained: the
audio loss is not in the total, its gradient is cut off, the head is frozen, or the optimiser does not know it.

Fix: Look at the gradient of the audio head (--backward), at what is added to the total, and at the parameters that the
optimiser was given. A run with a very small learning rate or a long warm-up looks the same: probe it later.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence

_LONG, _MARGIN = 200, 0.1
_FEWEST = 64  # cells; a mean over fewer says little


def check(evidence: Evidence) -> Iterator[Problem]:
    """Only where somebody says how long it trained."""
    steps, lowest = _steps(evidence), _lowest(evidence)
    if steps >= _LONG and lowest >= evidence.chance - _MARGIN:
        yield Problem(
            Severity.WARNING,
            f"after {steps} steps the audio logits are no better than guessing: the next code costs "
            f"{nats(evidence.next_loss)} nats, and chance is {nats(evidence.chance)}",
            {"steps": steps, "next": evidence.next_loss, "chance": evidence.chance},
        )


def passed(evidence: Evidence) -> str:
    """How far below chance it is."""
    lowest = _lowest(evidence)
    if math.isnan(lowest) or lowest >= evidence.chance - _MARGIN:
        return ""
    return f"the audio logits are {evidence.chance - lowest:.3g} nats better than guessing"


def _steps(evidence: Evidence) -> int:
    return max([evidence.trained_steps or 0, *(item.step for item in evidence.logged)])


def _lowest(evidence: Evidence) -> float:
    """Mean cross entropy at the best offset, over all cells; NaN if there are too few."""
    stats = evidence.stats
    if stats is None or len(stats.cross_entropy) < len(OFFSETS):
        return math.nan
    values = stats.cross_entropy[: len(OFFSETS)].flatten(1)
    if int((~values[OFFSETS.index(1)].isnan()).sum()) < _FEWEST:
        return math.nan
    return min(float(each) for each in values.nanmean(1) if not bool(each.isnan()))
