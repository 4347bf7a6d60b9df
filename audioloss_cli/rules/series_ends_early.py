"""Audio loss that is not logged any more, though the run goes on.

What: The loss was logged at least 4 times and then at none of 20 points at which other series of the run were logged as
before, for more than 10 times as long as between any two of its last 30 points, and twice as long as ever before.

Why: The audio part is no longer trained: its batches have run out, its branch is skipped, or its value is NaN and the
writer leaves the key out. What is logged up to there looks healthy.

Fix: Log the loss in each step, NaN and all. Then look at what feeds it from this step on: the sampler, the filter of
the data, the condition under which the loss is computed.
"""

from collections.abc import Sequence
from itertools import islice, pairwise

from audioloss_cli.model import InactiveRange, LossRule, Point, SeriesHistory, is_missing

_LEAST, _TIMES, _RECENT, _TWICE = 4, 10, 30, 2


class Rule(LossRule):
    """Logged again and again, and then no more."""

    group = "series-end"
    for_points = 20
    minds_absence = True
    inactive = (InactiveRange(),)

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether this is a point without the series, too far behind its last one."""
        points = history.points
        if not is_missing(point.value) or len(points) < _LEAST or points[-1].step >= point.step:
            return False
        gap = point.step - points[-1].step
        return gap > _TIMES * max(_recent_gap(points), 1) and gap > _TWICE * history.longest_gap

    def levels(self, history: SeriesHistory) -> Sequence[float]:
        """None: it holds at no point of the series."""
        return []

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name the last step."""
        last = history.points[-1].step if history.points else since
        return f"the loss was last logged at step {last}, and not up to step {point.step}, though the run goes on"


def _recent_gap(points: Sequence[Point]) -> int:
    """The longest between two of the last points; they are read from the newest on."""
    recent = [point.step for point in islice(reversed(points), _RECENT)]
    return max((after - before for after, before in pairwise(recent)), default=0)
