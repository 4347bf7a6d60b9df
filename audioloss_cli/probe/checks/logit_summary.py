"""The audio logits in figures.

What: Range, mean, standard deviation, entropy and the number of different argmaxes of the audio logits, per codebook.
A fact, not a fault.

Why: A codebook whose logits hardly spread, or whose argmax is always the same id, has learnt the frequencies of its
codes at best.

Fix: Nothing. Compare the codebooks with each other, and with a checkpoint that is known to be good.
"""

from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Always, where there are logits."""
    stats = evidence.stats
    if stats is None or not stats.shape[0]:
        return
    entropy = stats.entropy.nanmean(0)
    low, high = float(stats.minimum.min()), float(stats.maximum.max())
    distinct = stats.distinct_argmax.tolist()
    yield Problem(
        Severity.INFO,
        f"logits {list(stats.shape)} {stats.dtype} from {low:.4g} to {high:.4g}, entropy "
        f"{nats(float(entropy.nanmean()))} nats, {min(distinct)} to {max(distinct)} different argmaxes a codebook",
        {
            "shape": list(stats.shape),
            "dtype": stats.dtype,
            "minimum": stats.minimum.amin(0).tolist(),
            "maximum": stats.maximum.amax(0).tolist(),
            "mean": stats.mean.tolist(),
            "std": stats.std.tolist(),
            "entropy": entropy.tolist(),
            "distinct_argmax": distinct,
        },
    )


def passed(evidence: Evidence) -> str:
    """It is no fault."""
    return ""
