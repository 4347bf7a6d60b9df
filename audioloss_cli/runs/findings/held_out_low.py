"""A held-out loss that is next to nothing while the training loss is not.

What: A held-out loss was below threshold (0.01) at its last 3 evaluations, and the last points of the training loss of
the same kind are above a hundred times as much. The other way round it is told with the incident of the training loss.

Why: What cannot be learnt on the training data cannot be known on other data. The evaluation leaves nothing to predict:
its collator masks all but a token or two, its labels are not shifted, or it reads the answer.

Fix: Probe one checkpoint on a batch of each: audioloss probe --data on the training batch, and on the held-out one.
Compare the share of labels that differ from -100.
"""

import math
from collections.abc import Sequence

from audioloss_cli.model import Finding, Series, Severity
from audioloss_cli.model.median import median

CODE = "held-out-low"
_EVALUATIONS, _LATEST, _TIMES = 3, 5, 100


def findings(training: Series, held_out: Sequence[Series], threshold: float) -> list[Finding]:
    """Return one for each held-out series that is low while the training is not.

    Args:
        training: a loss of the training, in order, to which the thresholds apply.
        held_out: losses of the same kind.
        threshold: below which a loss is low.
    """
    recent = _last(training, _LATEST)
    if len(recent) < _LATEST or median(recent) <= _TIMES * threshold:
        return []
    return [_finding(training.tag, median(recent), each, threshold) for each in held_out if _is_low(each, threshold)]


def _is_low(series: Series, threshold: float) -> bool:
    """Whether the last evaluations are all numbers below, and none below 0."""
    recent = [float(value) for value in series.values[-_EVALUATIONS:]]
    return len(recent) == _EVALUATIONS and all(0 <= value < threshold for value in recent)


def _finding(training: str, level: float, series: Series, threshold: float) -> Finding:
    step, value = int(series.steps[-1]), float(series.values[-1])
    return Finding(
        CODE,
        Severity.WARNING,
        f"{series.tag} is {value:.4g} at step {step:,}, below {threshold:g} {_EVALUATIONS} times in a row, while "
        f"{training} is at {level:.4g}: the evaluation leaves nothing to predict",
        {"tags": [training, series.tag], "step": step, "values": [level, value]},
        "Probe one checkpoint on a training and on a held-out batch; compare the share of labels that are not -100.",
    )


def _last(series: Series, count: int) -> list[float]:
    return [value for value in map(float, series.values[-4 * count :]) if math.isfinite(value)][-count:]
