"""The audio logits say nothing.

What: In more than half of the cells all ids have the same logit, or the logits of nearly all cells are saturated: the
model is certain (entropy below 0.0001 nats) and wrong (cross entropy above chance).

Why: A head that is all zero, was never loaded or was reinitialised gives the same logit to every id; a head that
exploded is certain of anything.

Fix: Compare the audio head with that of the base checkpoint. If the checkpoint lacks it, save it with the adapter
(modules_to_save in PEFT), or load it from the base.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats, percent
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence

_MOST, _NEARLY_ALL, _CERTAIN = 0.5, 0.95, 1e-4


def check(evidence: Evidence) -> Iterator[Problem]:
    """Constant, or saturated and wrong."""
    stats = evidence.stats
    if stats is None or not stats.shape[0]:
        return
    books = slice(0, 1) if evidence.layout.sampled else slice(None)  # of the others most have no logits at all
    constant = float(stats.constant[:, books].float().mean())
    certain = float((stats.entropy[:, books] < _CERTAIN).float().mean())
    if constant > _MOST:
        yield Problem(
            Severity.CRITICAL,
            f"in {percent(constant)} of the cells all {stats.shape[2]} ids have the same logit",
            {"constant_share": constant},
        )
    elif certain > _NEARLY_ALL and _wrong(evidence):
        yield Problem(
            Severity.CRITICAL,
            f"{percent(certain)} of the logits are saturated, and wrong: cross entropy {nats(evidence.mean_at(1))}",
            {"saturated_share": certain, "cross_entropy": evidence.mean_at(1)},
        )


def passed(evidence: Evidence) -> str:
    """Spread and entropy."""
    stats = evidence.stats
    if stats is None or not stats.shape[0]:
        return ""
    entropy, spread = float(stats.entropy.nanmean()), float(stats.std.mean())
    return f"the logits spread by {spread:.3g}, their entropy is {nats(entropy)} of {nats(evidence.chance)}"


def _wrong(evidence: Evidence) -> bool:
    """At every offset: a model that is certain of another code than the next one has learnt something else."""
    known = [loss for offset in OFFSETS if not math.isnan(loss := evidence.mean_at(offset))]
    return bool(known) and min(known) > evidence.chance
