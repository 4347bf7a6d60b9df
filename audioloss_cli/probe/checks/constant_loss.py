"""The model reports a loss that does not depend on its logits.

What: The reported audio loss is another number than the recomputed one, and it stays the same to the last bit when a
code of the input, or all audio and text labels are changed; or it is NaN or infinite though all logits are finite.

Why: Somewhere an exception or a NaN is caught and a constant is returned in its place (0.0, 0.001): the curve is
perfectly flat and nothing is learnt. A loss that leaves out the audio looks the same; --backward tells the two apart.

Fix: Search the loss function for except, nan_to_num and torch.tensor(0.0), and let it raise.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._loss import differs, is_broken, is_constant
from audioloss_cli.probe.checks._words import nats
from audioloss_cli.probe.measure.evidence import Evidence


def check(evidence: Evidence) -> Iterator[Problem]:
    """Where the recomputed loss says otherwise."""
    shown = evidence.reported if evidence.response is None else evidence.response.loss
    if is_constant(evidence) and shown is not None and evidence.recomputed is not None:
        name = "an audio loss" if evidence.response is None else "a loss"
        yield Problem(
            Severity.CRITICAL,
            f"the model reports {name} of {nats(shown)} whatever it is fed; from its logits the audio costs "
            f"{nats(evidence.recomputed)}",
            {"reported": shown, "recomputed": evidence.recomputed},
        )
    if is_broken(evidence) and evidence.reported is not None and evidence.recomputed is not None:
        yield Problem(
            Severity.CRITICAL,
            f"the model reports an audio loss of {nats(evidence.reported)}; from its logits it is "
            f"{nats(evidence.recomputed)}",
            {"reported": evidence.reported, "recomputed": evidence.recomputed},
        )


def passed(evidence: Evidence) -> str:
    """Both losses."""
    if evidence.response is not None and evidence.response.moved:
        return f"the loss of {nats(evidence.response.loss)} that the model returns changes with the audio labels"
    if evidence.reported is None or evidence.recomputed is None:
        return ""
    if not math.isfinite(evidence.reported) or math.isnan(evidence.recomputed):
        return ""
    same = "as recomputed" if not differs(evidence) else f"recomputed {nats(evidence.recomputed)}"
    return f"the model reports {nats(evidence.reported)}, {same}"
