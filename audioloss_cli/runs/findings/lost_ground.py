"""A training loss that ends far above what it had come down to.

What: At the end of a run, over its last tenth and 6 points at least, the loss was half as high again as its lowest
level, a median over a twentieth of the run; or 75 % of the way back to where it started, if that is 36 % above the
lowest level at least. It had started 10 % above that level or more. Nothing is said where an incident tells more than a
spike.

Why: A rise that takes thousands of steps takes what is usual along with it, so that no point is far above those before.
Nothing healthy forgets most of what it has learnt: the learning rate is too high for too long, the data changed under
the training, or an optimiser was not restored.

Fix: Go back to the checkpoint of the lowest level and train on with a lower learning rate. Look at what changed where
the loss began to rise: a new stage of the data, a schedule that restarts, a resume.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from audioloss_cli.model import Finding, Series, Severity
from audioloss_cli.model.median import median

CODE = "lost-ground"
_PARTS, _LEAST_POINTS, _CONSIDERED = 20, 3, 101  # of a run; of a part; of those of a part
_FIRST, _LAST = 5, 2  # points at the start; parts at the end
# See above; the least that such a start must lie above; times the noise of a level; and times
# what the levels rose before by themselves.
_LEARNT = 1.1  # times the lowest level: where it started at least
_BACK, _TIMES, _LEAST, _NOISE, _AGAIN = 0.75, 0.5, 0.36, 6.0, 1.5


class _Part(NamedTuple):
    """A stretch of the series: its level, the step at which it ends, and how far off by chance the level may be."""

    level: float
    step: int
    noise: float


def findings(training: Series, begin: int = 0) -> list[Finding]:
    """Return one if the series ends so high.

    Args:
        training: a cross entropy of the training, in order.
        begin: index of the first point of the last segment.
    """
    first = [value for value in map(float, training.values[begin : begin + 4 * _FIRST]) if math.isfinite(value)]
    parts = _parts(training, begin)
    if len(first) < _FIRST or len(parts) < _PARTS // 2:
        return []
    start = median(first[:_FIRST])
    lowest = min(parts[: -2 * _LAST])
    end = min(part.level for part in parts[-_LAST:])
    if start < _LEARNT * lowest.level:
        return []
    back, least = _BACK * (start - lowest.level), _LEAST * lowest.level
    rise = min(_TIMES * lowest.level, back) if back >= least else _TIMES * lowest.level
    noise = max(_NOISE * median([part.noise for part in parts]), _AGAIN * _risen_before(parts, lowest))
    if end < lowest.level + max(rise, noise):
        return []
    return [_finding(training, start, lowest, end)]


def _parts(series: Series, begin: int) -> Sequence[_Part]:
    """Equally long stretches of the points, without those that hold no numbers."""
    count = len(series) - begin
    parts = min(_PARTS, count // _LEAST_POINTS)
    found = list[_Part]()
    for number in range(parts):
        low, high = begin + count * number // parts, begin + count * (number + 1) // parts
        stride = max((high - low) // _CONSIDERED, 1)
        values = [value for value in map(float, series.values[low:high:stride]) if math.isfinite(value)]
        if len(values) >= _LEAST_POINTS:
            apart = median([abs(after - before) for before, after in pairwise(values)])
            found.append(_Part(median(values), int(series.steps[high - 1]), apart / math.sqrt(len(values))))
    return found


def _risen_before(parts: Sequence[_Part], lowest: _Part) -> float:
    """How far the level had gone up at most, and came down again, before it was lowest."""
    low, most = math.inf, 0.0
    for part in parts[: parts.index(lowest)]:
        low = min(low, part.level)
        most = max(most, part.level - low)
    return most


def _finding(training: Series, start: float, lowest: _Part, end: float) -> Finding:
    step = int(training.steps[-1])
    return Finding(
        CODE,
        Severity.CRITICAL,
        f"{training.tag} has slowly risen from {lowest.level:.4g} up to step {lowest.step:,} to {end:.4g} and more, "
        f"and is still there at step {step:,}; it started at {start:.4g}",
        {"tags": [training.tag], "step": step, "values": [start, lowest.level, end]},
        "Go back to the checkpoint of the lowest level and train on with a lower learning rate; look at what changed "
        "where the loss began to rise.",
    )
