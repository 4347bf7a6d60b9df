"""The batch is known by heart.

What: The cross entropy against the next code is below 0.5 nats though the labels are diverse and rightly aligned; or
held-out data costs at least 1 nat more.

Why: Real audio codes carry nats of information per codebook. Only data that was seen many times can be predicted so
well, and nothing of it carries over.

Fix: Compare with held-out data (--held-out). Train on more data or for fewer epochs, and stop on the held-out loss.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence

_BY_HEART, _GAP, _FEW = 0.5, 1.0, 2


def check(evidence: Evidence) -> Iterator[Problem]:
    """Where a copy cannot explain it."""
    loss, held_out = evidence.next_loss, evidence.held_out
    diverse = evidence.audio.codes is None or len(evidence.audio.codes.unique()) > _FEW
    gap = held_out is not None and held_out - loss > _GAP
    known = loss < _BY_HEART and not (held_out is not None and held_out < _BY_HEART)
    if not diverse or not (known or gap) or evidence.mean_at(0) < loss:
        return
    text = "" if held_out is None else f", {nats(held_out)} on held-out data"
    yield Problem(
        Severity.WARNING,
        f"cross entropy against the next code is {nats(loss)}{text}; real audio stays in the units",
        {"cross_entropy": loss, "held_out": held_out},
    )


def passed(evidence: Evidence) -> str:
    """The cross entropy."""
    loss = evidence.next_loss
    return "" if math.isnan(loss) else f"cross entropy against the next code is {nats(loss)}"
