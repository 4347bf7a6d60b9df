"""Replay by the array: skip what the state machine would only have nodded at, and hand it everything else.

Blocks of the baseline are judged by the thousand, in three steps, each for what is left of the one before. A block is
skipped if its extremes lie where no rule can hold, whatever the reference turns out to be: it lies between the least
and the greatest of 40 block medians. Or if they lie there under the reference as it is. Or if the points that do not
are too few for rules that wait for several. The first block that is left is replayed point by point, and some more
points after each such block in a row, because trouble is seldom alone.

What the state machine would have remembered of skipped points is a matter of the last ones only, and is built by the
code that it uses itself.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, by the machine, for long series only

from audioloss_cli.monitor.baseline import BLOCK_POINTS, BLOCK_STEPS, BLOCKS, COMPANY, USUAL, block_of
from audioloss_cli.monitor.blocks import Blocks
from audioloss_cli.monitor.points import MANY_REPEATS, beside_at
from audioloss_cli.records import MISSING, Alert, Point, Quiet

if TYPE_CHECKING:
    from audioloss_cli.monitor.machine import Machine

_SLABS = (1 << 11, 1 << 16)  # points looked at in one go: first few, then twice as many, as long as they fit the cache
_BATCH = 128  # doubtful blocks looked at in one go, because the first bad one ends it
_LEAST_EXACT, _MOST_EXACT = BLOCK_POINTS, 4096
_FOLDED = Quiet(low_share=USUAL[0], high_share=USUAL[1], alone=False)  # all that the baseline takes in
_MISSING_BITS = np.float64(MISSING).view(np.int64)


class Slab(NamedTuple):
    """Consecutive points: index of the first, and steps and values with those of the open block, ``joined``, before."""

    start: int
    joined: int
    steps: Any
    values: Any


class Bulk:
    """One chunk without a marked restart: int64 steps, float64 values, wall times and what stands beside them."""

    def __init__(
        self,
        machine: "Machine",
        steps: Sequence[int],
        values: Sequence[float],
        times: Sequence[float],
        beside: Mapping[str, Sequence[float]],
    ) -> None:
        self.machine = machine
        self.steps = np.asarray(steps, np.int64)
        self.values = np.asarray(values, np.float64)
        self.times = np.asarray(times, np.float64)
        self.beside = {name: np.asarray(column, np.float64) for name, column in beside.items()}

    def run(self) -> list[Alert]:
        """Take in the chunk; return what its points raise."""
        alerts: list[Alert] = []
        index, exact = 0, _LEAST_EXACT
        while index < len(self.values):
            skipped = self._skip(index)
            index += skipped
            exact = _LEAST_EXACT if skipped > exact else min(2 * exact, _MOST_EXACT)
            alerts += self._exact(index, min(index + exact, len(self.values)))
            index += exact
        return alerts

    def _exact(self, start: int, end: int) -> list[Alert]:
        """Point by point."""
        advance, alerts = self.machine.advance, list[Alert]()
        for point in self._points(start, end):
            alerts += advance(point)
        return alerts

    def _points(self, start: int, end: int) -> list[Point]:
        columns = {name: column[start:end].tolist() for name, column in self.beside.items()}
        buffers = (buffer[start:end].tolist() for buffer in (self.steps, self.values, self.times))
        return [
            Point(step, value, time, beside_at(columns, index))
            for index, (step, value, time) in enumerate(zip(*buffers, strict=True))
        ]

    def _skip(self, start: int) -> int:
        """Take in as many points from ``start`` on as can be skipped; return their number."""
        index, size = start, _SLABS[0]
        while self._ready(index):
            end = min(index + size, len(self.values))
            # Shares of a level near the end of float64 are infinite, as they are without numpy.
            with np.errstate(over="ignore", invalid="ignore"):
                index += self._skip_slab(index, end)
            size = min(2 * size, _SLABS[1])
            if index < end:
                break
        return index - start

    def _ready(self, start: int) -> bool:
        """Only where the machine itself would nod: nothing open, the start is known, every rule has an interval."""
        machine = self.machine
        if start >= len(self.values) or machine.past.start is None or machine.recovery.running:
            return False
        if not all(group.idle for group in machine.groups):
            return False
        return machine.last_step is None or bool(self.steps[start] >= machine.last_step)

    def _skip_slab(self, start: int, end: int) -> int:
        """The same within a slab; a block that its end cuts is left open, as any last block is."""
        end = self._until_news(start, self._until_restart(start, end))
        if end == start:
            return 0
        baseline = self.machine.past.baseline
        if baseline.turn(int(self.steps[start])):
            self.machine.turned = True
        steps, values, joined = self.steps[start:end], self.values[start:end], len(baseline.values)
        if joined:  # the open block goes on
            values = np.concatenate([baseline.values, values])
            steps = np.concatenate([np.full(joined, steps[0]), steps])
        blocks = Blocks(steps, values, baseline.blocks)
        slab = Slab(start, joined, steps, values)
        whole = self._first_bad(blocks, slab, self._objections(start, end, blocks.starts, joined))
        count = (int(blocks.starts[whole]) if whole < len(blocks) else len(values)) - joined
        if count > 0:
            self._absorb(slab, count, blocks, whole)
        return max(count, 0)

    def _until_restart(self, start: int, end: int) -> int:
        """Index of the first point whose step goes back, or ``end``."""
        back = self.steps[start + 1 : end] < self.steps[start : end - 1]
        return start + 1 + int(np.argmax(back)) if back.any() else end

    def _until_news(self, start: int, end: int) -> int:
        """Index of the first point beside which a series is logged that was not logged before, or ``end``."""
        for name, column in self.beside.items():
            if name not in self.machine.past.names:
                logged = np.flatnonzero(column[start:end].view(np.int64) != _MISSING_BITS)
                end = start + int(logged[0]) if len(logged) else end
        return end

    def _first_bad(self, blocks: Blocks, slab: "Slab", objections: Any) -> int:
        """Index of the first block that cannot be skipped; their number if all can."""
        least, greatest = blocks.widest()
        low, high = self._bounds(least, greatest)
        doubtful = np.flatnonzero(~((blocks.lowest >= low) & (blocks.highest < high)) | objections)
        for start in range(0, len(doubtful), _BATCH):
            batch = doubtful[start : start + _BATCH]
            reference = blocks.references(batch)
            low, high = self._bounds(reference, reference)
            bad = ~((blocks.lowest[batch] >= low) & (blocks.highest[batch] < high)) | objections[batch]
            for block, usual in zip(batch[bad].tolist(), reference[bad].tolist(), strict=True):
                if objections[block] or self._matters(blocks, slab, block, usual):
                    return int(block)
        return len(blocks)

    def _bounds(self, least: Any, greatest: Any) -> tuple[Any, Any]:
        """The interval of every rule, under a reference between the two; NaN for no reference."""
        guess = self.machine.past.guess.quiet
        low, high = np.fmax(guess.low, USUAL[0] * greatest), np.fmin(guess.high, USUAL[1] * least)
        for quiet in self._intervals():
            low, high = np.maximum(low, quiet.low), np.minimum(high, quiet.high)
            if quiet.low_share > 0:
                low = np.fmax(low, quiet.low_share * greatest)
            if quiet.high_share < math.inf:
                high = np.fmin(high, quiet.high_share * least)
        return low, high

    def _intervals(self) -> list[Quiet]:
        return [quiet for group in self.machine.groups for quiet in group.intervals]

    def _matters(self, blocks: Blocks, slab: Slab, block: int, usual: float) -> bool:
        """Whether a rule may hold in this block, of whose points some lie where it could."""
        stop = int(blocks.starts[block + 1]) if block + 1 < len(blocks) else len(slab.values)
        # As logged: the open block is without the points that did not have their part in it.
        begin = slab.start + max(int(blocks.starts[block]) - slab.joined, 0)
        inside = self.values[begin : slab.start + stop - slab.joined].tolist()
        before = self.values[max(begin - COMPANY + 1, slab.start) : begin].tolist()
        before = (self.machine.past.last(COMPANY) + before)[-COMPANY + 1 :]
        guess = self.machine.past.guess.quiet
        return any(_may_hold(quiet, usual, before, inside) for quiet in (guess, _FOLDED, *self._intervals()))

    def _objections(self, start: int, end: int, starts: Any, joined: int) -> Any:
        """Of each block, whether it holds a point that must be looked at for another reason than its value."""
        mask = self._repeated(start, end)
        beside = {name: column[start:end] for name, column in self.beside.items()}
        for group in self.machine.groups:
            for coded in group.awake:
                mask = mask | coded.rule.screen(self.values[start:end], beside, self.machine.past)
        if not mask.any():
            return np.zeros(len(starts), bool)
        return np.logical_or.reduceat(np.concatenate([np.zeros(joined, bool), mask]), starts)

    def _repeated(self, start: int, end: int) -> Any:
        """Points at which a value has been repeated so often that it is no chance any more."""
        past, values = self.machine.past, self.values[start:end]
        mask = np.zeros(len(values), bool)
        same = np.append(values[0] == past.points[-1].value if past.points else False, values[1:] == values[:-1])
        if same.any():
            other = np.flatnonzero(np.append(~same, True))  # an end for the last stretch
            bounds = np.concatenate([[-past.repeats], other])
            for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
                if last - first >= MANY_REPEATS:
                    mask[max(first, 0) : last] = True
        return mask

    def _absorb(self, slab: Slab, count: int, blocks: Blocks, whole: int) -> None:
        """Leave the machine as it would be after the first ``count`` points, which are the first ``whole`` blocks."""
        machine, baseline, (start, _, steps, values) = self.machine, self.machine.past.baseline, slab
        end = start + count
        cuts = [*blocks.starts[:whole].tolist(), len(baseline.values) + count]
        closed = []
        for begin, stop in list(pairwise(cuts[:-1]))[-BLOCKS:]:
            before = float(values[begin - 1]) if begin else baseline.previous
            closed.append(block_of(int(steps[begin]) // BLOCK_STEPS, values[begin:stop].tolist(), before))
        last = cuts[-2]
        if closed:
            if baseline.noted:
                references = blocks.references(np.arange(1, whole))
                baseline.lowest = min([baseline.lowest, *references[references > 0].tolist()])
            baseline.close(closed)
            baseline.previous = float(values[last - 1])
        baseline.key, baseline.values = int(steps[last]) // BLOCK_STEPS, values[last : cuts[-1]].tolist()
        self._remember(start, end)
        machine.last_step, machine.points = int(self.steps[end - 1]), machine.points + count
        machine.turned = False
        machine.settle()

    def _remember(self, start: int, end: int) -> None:
        """The last points, and how often the last value has been repeated."""
        past = self.machine.past
        kept = past.points.maxlen or 0
        for point in self._points(max(start, end - kept), end):
            past.remember(point)


def _may_hold(quiet: Quiet, usual: float, before: Sequence[float], inside: Sequence[float]) -> bool:
    """Whether one of the values lies outside, and in such company as the rule needs."""
    low, high = quiet.low, quiet.high
    if usual == usual:  # noqa: PLR0124  # NaN: no reference
        low, high = max(low, quiet.low_share * usual), min(high, quiet.high_share * usual)
    places = [place for place, value in enumerate((*before, *inside)) if not low <= value < high]
    if quiet.alone:
        return bool(places) and places[-1] >= len(before)
    return any(after >= len(before) and after - place < COMPANY for place, after in pairwise(places))
