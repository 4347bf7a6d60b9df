"""One codebook is nothing like the others.

What: One codebook is predicted almost perfectly (cross entropy below 0.05 at the right offset) while the others are
above 1, or the model is certain of it (entropy below 0.05) and worse than guessing while the others are not.

Why: The mean over codebooks hides it. One codebook that is masked, constant or leaked lowers the mean by an eighth.

Fix: Log the loss of each codebook. Compare the labels of this one with its codes, and its slice of the audio head
with that of the base checkpoint.
"""

from collections.abc import Iterator

import torch

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import listed, nats
from audioloss_cli.probe.measure.alignment import OFFSETS
from audioloss_cli.probe.measure.evidence import Evidence

_NOTHING, _SOMETHING = 0.05, 1.0


def check(evidence: Evidence) -> Iterator[Problem]:
    """Some codebooks, but not all."""
    if evidence.by_offset is None or evidence.stats is None:
        return
    loss, entropy = evidence.by_offset[OFFSETS.index(1)], evidence.stats.entropy.nanmean(0)
    odd = (loss < _NOTHING) | ((entropy < _NOTHING) & (loss > evidence.chance))
    normal = (loss > _SOMETHING) & ~odd
    if not bool(odd.any()) or 2 * int(normal.sum()) < len(loss):
        return
    books = odd.nonzero().flatten().tolist()
    yield Problem(
        Severity.WARNING,
        f"codebook {listed(books)} has cross entropy {listed(nats(float(loss[book])) for book in books)} and entropy "
        f"{listed(nats(float(entropy[book])) for book in books)}; the others {nats(float(loss[~odd].nanmean()))}",
        {"codebooks": books, "cross_entropy": loss.tolist(), "entropy": entropy.tolist()},
    )


def passed(evidence: Evidence) -> str:
    """The range over codebooks."""
    if evidence.by_offset is None:
        return ""
    loss = evidence.by_offset[OFFSETS.index(1)]
    loss = loss[~torch.isnan(loss)]
    if not len(loss):
        return ""
    return f"cross entropy is {nats(float(loss.min()))} to {nats(float(loss.max()))} over the codebooks"
