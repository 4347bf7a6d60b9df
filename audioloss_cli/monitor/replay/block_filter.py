"""Which blocks of a stretch cannot be skipped, judged by the array.

A block is skipped if its extremes lie where no rule can hold, whatever the reference turns out to be: it lies between
the least and the greatest of 40 block medians. Or if they lie there under the reference as it is. Or if the points that
do not are too few for rules that wait for several. Each step looks at what is left of the one before.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np  # noqa: TID253  # opened late, for long series only

from audioloss_cli.model import InactiveRange
from audioloss_cli.model.inactive_range import LESS, MORE
from audioloss_cli.monitor.history.baseline import COMPANY, FEW, MANY, USUAL
from audioloss_cli.monitor.replay.blocks import Blocks

# All that the baseline takes in.
_FOLDED = (InactiveRange(low_share=USUAL[0], company=FEW), InactiveRange(high_share=USUAL[1], company=MANY))
_FINITE = InactiveRange(low=-sys.float_info.max)
_BATCHES = (1 << 7, 1 << 13)  # doubtful blocks looked at in one go: first few, because the first bad one ends it


class BlockFilter:
    """Where rules cannot hold, and whatever does not lie there.

    Args:
        intervals: of every rule, and of whoever else has a say.
        before: the last values before the stretch, at most 8.
        values: float64 [points], the stretch, as logged.
        start: where the series started.
    """

    def __init__(self, intervals: Sequence[InactiveRange], before: Sequence[float], values: Any, start: float) -> None:
        self._start = start
        intervals = [*intervals, *_FOLDED, _FINITE]
        self._any = InactiveRange.all_of(intervals)
        self._by_company = {
            company: InactiveRange.all_of([each for each in intervals if each.company == company])
            for company in {each.company for each in intervals}
        }
        self._before = len(before)
        self._values = np.concatenate([before, values])

    def first_bad(self, blocks: Blocks, joined: int, objections: Any) -> int:
        """Index of the first block that cannot be skipped; their number if all can.

        Args:
            blocks: those of the stretch, with ``joined`` older points in the first.
            joined: how many of its points lie before the stretch.
            objections: bool [blocks], whether something else forbids to skip it.
        """
        low, high = bounds(self._any, blocks.least_level, blocks.greatest, self._start)
        doubtful = np.flatnonzero(~((blocks.lowest >= low) & (blocks.highest < high)) | objections)
        start, size = 0, _BATCHES[0]
        while start < len(doubtful):
            batch = doubtful[start : start + size]
            bad = objections[batch] | self._bad(blocks, joined, batch)
            if bad.any():
                return int(batch[np.argmax(bad)])
            start, size = start + size, min(2 * size, _BATCHES[1])
        return len(blocks)

    def _bad(self, blocks: Blocks, joined: int, which: Any) -> Any:
        """Of each of these blocks, whether a rule may hold in it under the reference that is in force there."""
        usual = blocks.references(which)
        level = blocks.levels(which, usual)
        low, high = bounds(self._any, level, usual, self._start)
        bad = ~((blocks.lowest[which] >= low) & (blocks.highest[which] < high))
        left = np.flatnonzero(bad)
        if len(left):
            starts = np.append(blocks.starts, len(self._values) - self._before + joined)
            first, last = starts[which[left]] - joined, starts[which[left] + 1] - joined
            bad[left] = self._may_hold(level[left], usual[left], np.maximum(first, 0), last)
        return bad

    def _may_hold(self, level: Any, usual: Any, first: Any, last: Any) -> Any:
        """Whether a point from ``first`` up to before ``last`` lies outside, in such company as the rules need."""
        counts = last - first
        owner = np.repeat(np.arange(len(usual)), counts)
        places = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts) + self._before
        hits = np.zeros(len(usual), bool)
        for company, inactive in self._by_company.items():
            outside = self._outside(inactive, level[owner], usual[owner], places)
            owners, last = owner[outside], places[outside, None] - np.arange(COMPANY)  # [points, 9]
            if company > 1:
                there = self._outside(inactive, level[owners, None], usual[owners, None], np.maximum(last, 0))
                owners = owners[np.count_nonzero(there & (last >= 0), axis=1) >= company]
            hits[owners] = True
        return hits

    def _outside(self, inactive: InactiveRange, level: Any, usual: Any, places: Any) -> Any:
        low, high = bounds(inactive, level, usual, self._start)
        values = self._values[places]
        return ~((values >= low) & (values < high))


def bounds(inactive: InactiveRange, least: Any, greatest: Any, start: float) -> tuple[Any, Any]:
    """The interval under a level of at least, and a reference of at most so much, float64 [blocks]; NaN for none."""
    low, high = MORE * inactive.low_share, LESS * inactive.high_share
    upper = np.fmin(inactive.high, high * least)
    if inactive.fallen > 0:
        fallen = least <= MORE * inactive.fallen * start
        upper = np.where(fallen, np.fmin(upper, LESS * inactive.start_share * start), upper)
    return np.fmax(inactive.low, low * greatest), upper
