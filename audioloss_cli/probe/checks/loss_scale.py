"""The model reports a loss on another scale.

What: The reported audio loss is not what its own logits and labels give under the family's reduction; the ratio is
named where it is the number of codebooks, an accumulation of gradients, or a division by the number of text tokens.

Why: Thresholds are nats per codebook. A loss divided by 8 or by 16 crosses them long before the model has learnt
anything, and a learning rate tuned on one scale is wrong on another. HF Trainer passes num_items_in_batch, the count
of text labels, by which the audio loss is then divided too.

Fix: Reduce once: the mean over valid cells, averaged over codebooks, and divide by the accumulation in one place
only. Scan existing logs with --scale set to the ratio.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._loss import SAME, differs, is_constant
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence

_ACCUMULATIONS = (2, 3, 4, 6, 12, 16, 24, 32, 48, 64, 128)


def check(evidence: Evidence) -> Iterator[Problem]:
    """A warning where the ratio has a name; else a fact, for the loss may hold more than audio."""
    reported, recomputed = evidence.reported, evidence.recomputed
    if not differs(evidence) or is_constant(evidence) or reported is None or recomputed is None:
        return
    if not math.isfinite(reported) or not recomputed:
        return
    ratio, name = reported / recomputed, _name(reported / recomputed, evidence)
    yield Problem(
        Severity.WARNING if name else Severity.INFO,
        f"the model reports a loss of {nats(reported)}, its logits give {nats(recomputed)}: a ratio of {ratio:.4g}"
        + (f": {name}" if name else ""),
        {"reported": reported, "recomputed": recomputed, "ratio": ratio, "name": name},
    )


def passed(evidence: Evidence) -> str:
    """Both losses."""
    if evidence.reported is None or evidence.recomputed is None:
        return ""
    if not math.isfinite(evidence.reported) or math.isnan(evidence.recomputed):
        return ""
    return f"the model reports {nats(evidence.reported)}, recomputed {nats(evidence.recomputed)}"


def _name(ratio: float, evidence: Evidence) -> str:
    books = max(evidence.layout.num_codebooks, 1)
    names = {float(books): f"summed over {books} codebooks", 1 / books: f"divided by {books} codebooks"}
    if evidence.text_tokens and evidence.valid is not None:
        cells = float(evidence.valid.sum()) / books
        names[cells / evidence.text_tokens] = f"divided by the {evidence.text_tokens} text labels"
    names.update({1 / count: f"divided by {count}, as an accumulation of gradients" for count in _ACCUMULATIONS})
    close = {abs(ratio / known - 1): name for known, name in reversed(names.items()) if known}
    best = min(close, default=math.inf)
    return close[best] if best <= SAME else ""
