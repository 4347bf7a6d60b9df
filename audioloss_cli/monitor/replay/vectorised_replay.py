"""Replay by the array: skip what the state machine would only have nodded at, and hand it everything else.

Blocks of the baseline are judged by the thousand (``BlockFilter``). The first one that cannot be skipped is replayed
point by point, and some more points after each such block in a row, because trouble is seldom alone.

What the state machine would have remembered of skipped points is a matter of the last ones only, and is built by the
code that it uses itself.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, by the machine, for long series only

from audioloss_cli.model import MISSING, Alert, Point
from audioloss_cli.model.point import GRAD_NORM, LEARNING_RATE
from audioloss_cli.monitor.history.baseline import ARMED_BLOCKS, COMPANY, LEFT_BLOCKS
from audioloss_cli.monitor.points import MANY_REPEATS, points_of
from audioloss_cli.monitor.replay.block_filter import BlockFilter
from audioloss_cli.monitor.replay.blocks import Blocks
from audioloss_cli.monitor.replay.chronic_incident import ChronicIncident
from audioloss_cli.monitor.replay.stable_incident import StableIncident

if TYPE_CHECKING:
    from audioloss_cli.monitor.machine import Machine

_SLABS = (1 << 13, 1 << 16)  # points looked at in one go: first few, then twice as many, as long as they fit the cache
_LEAST_EXACT, _MOST_EXACT = 12, 4096
_MISSING_BITS = np.float64(MISSING).view(np.int64)


class Slab(NamedTuple):
    """Consecutive points: index of the first, and steps and values with those of the open block, ``joined``, before."""

    start: int
    joined: int
    steps: Any
    values: Any


class VectorisedReplay:
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
        index, exact, skipped = 0, _LEAST_EXACT, 0
        stable = StableIncident(self)  # kept here: a cycle would outlive its run
        chronic = ChronicIncident(stable)
        while index < len(self.values):
            steady, reminders = stable.skip(index)
            if not steady:
                steady, reminders = chronic.skip(index)
            alerts += reminders
            if steady:
                alerts += self._exact(index + steady, min(index + steady + 1, len(self.values)))
                index, exact = index + steady + 1, _LEAST_EXACT
                continue
            skipped = self._skip(index, min(max(skipped, _SLABS[0]), _SLABS[1]))
            index += skipped
            exact = _LEAST_EXACT if skipped > exact else min(exact + exact // 2, _MOST_EXACT)
            alerts += self._exact(index, min(index + exact, len(self.values)))
            index += exact
        return alerts

    def _exact(self, start: int, end: int) -> list[Alert]:
        """Point by point."""
        advance, alerts = self.machine.advance, list[Alert]()
        for point in self.points(start, end):
            found = advance(point)
            if found:
                alerts += found
        return alerts

    def points(self, start: int, end: int) -> list[Point]:
        """These points of the chunk."""
        steps, values, times = (buffer[start:end].tolist() for buffer in (self.steps, self.values, self.times))
        columns = {name: column[start:end].tolist() for name, column in self.beside.items()}
        return list(points_of(steps, values, times, columns))

    def _skip(self, start: int, size: int) -> int:
        """Take in as many points from ``start`` on as can be skipped, ``size`` at first; return their number."""
        index = start
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
        if start >= len(self.values) or machine.history.start is None or machine.recovery.running:
            return False
        if len(machine.history.points) < COMPANY:  # after a restart fewer points will do for a rule
            return False
        if len(machine.history.baseline.blocks) < ARMED_BLOCKS:  # nothing is usual yet: seldom is a point skipped
            return False
        if not all(group.idle for group in machine.groups):
            return False
        return machine.last_step is not None and bool(self.steps[start] >= machine.last_step)

    def _skip_slab(self, start: int, end: int) -> int:
        """The same within a slab; a block that its end cuts is left open, as any last block is."""
        end = self.until_news(start, self._until_restart(start, end))
        if end == start:
            return 0
        baseline = self.machine.history.baseline
        if baseline.turn(int(self.steps[start])):
            self.machine.turned = True
        steps, values, joined = self.steps[start:end], self.values[start:end], len(baseline.values)
        if joined:  # the open block goes on
            values = np.concatenate([baseline.values, values])
            steps = np.concatenate([np.full(joined, steps[0]), steps])
        blocks = Blocks(steps // baseline.block_steps, values, baseline.blocks)
        slab = Slab(start, joined, steps, values)
        history, rules = self.machine.history, [each for group in self.machine.groups for each in group.intervals]
        block_filter = BlockFilter(
            [history.guess.inactive, *rules], history.last(COMPANY - 1), self.values[start:end], history.start or 0.0
        )
        whole = block_filter.first_bad(blocks, joined, self._objections(start, end, blocks.starts, joined))
        count = (int(blocks.starts[whole]) if whole < len(blocks) else len(values)) - joined
        if count > 0:
            self._absorb(slab, count, blocks, whole)
        return max(count, 0)

    def _until_restart(self, start: int, end: int) -> int:
        """Index of the first point whose step goes back, or ``end``."""
        back = self.steps[start + 1 : end] < self.steps[start : end - 1]
        return start + 1 + int(np.argmax(back)) if back.any() else end

    def until_news(self, start: int, end: int) -> int:
        """Index of the first point beside which another series appears, or that ends a recurrence, or ``end``."""
        for name, column in self.beside.items():
            if name not in self.machine.history.names:
                logged = np.flatnonzero(column[start:end].view(np.int64) != _MISSING_BITS)
                end = start + int(logged[0]) if len(logged) else end
        if not self.machine.history.stepped:
            steps = self._steps_taken(start, end)
            end = start + int(steps[0]) if len(steps) else end
        found = self.machine.history.recurrence.until_found(self.values[start:end])
        return end if found is None else start + found

    def _steps_taken(self, start: int, end: int) -> Any:
        """Indexes of the points beside which a step was taken: see ``takes_a_step``."""
        norm, rate = self.beside.get(GRAD_NORM), self.beside.get(LEARNING_RATE)
        if norm is None and rate is None:
            return np.zeros(0, np.int64)
        absent = np.full(end - start, MISSING)
        norms, rates = (absent if column is None else column[start:end] for column in (norm, rate))
        missing = [column.view(np.int64) == _MISSING_BITS for column in (norms, rates)]
        alive = missing[0] | (np.isfinite(norms) & (norms > 0))
        return np.flatnonzero(alive & ~(missing[0] & missing[1]) & (rates != 0))

    def _objections(self, start: int, end: int, starts: Any, joined: int) -> Any:
        """Of each block, whether it holds a point that must be looked at for another reason than its value."""
        mask = self._repeated(start, end)
        beside = self.companions(start, end)
        for group in self.machine.groups:
            for coded in group.awake:
                mask = mask | coded.rule.screen(self.values[start:end], beside, self.machine.history)
        if not mask.any():
            return np.zeros(len(starts), bool)
        return np.logical_or.reduceat(np.concatenate([np.zeros(joined, bool), mask]), starts)

    def companions(self, start: int, end: int) -> dict[str, Any]:
        """What is logged beside these points: float64 [points] each, NaN where there is none.

        With what was logged before and is not beside this chunk, for which a rule may still be awake.
        """
        found: dict[str, Any] = dict.fromkeys(self.machine.history.names, np.full(end - start, np.nan))
        return found | {name: column[start:end] for name, column in self.beside.items()}

    def _repeated(self, start: int, end: int) -> Any:
        """Points at which a value has been repeated so often that it is no chance any more."""
        history, values = self.machine.history, self.values[start:end]
        mask = np.zeros(len(values), bool)
        same = np.append(values[0] == history.points[-1].value if history.points else False, values[1:] == values[:-1])
        if same.any():
            other = np.flatnonzero(np.append(~same, True))  # an end for the last stretch
            bounds = np.concatenate([[-history.repeats], other])
            for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
                if last - first >= MANY_REPEATS:
                    mask[max(first, 0) : last] = True
        return mask

    def _absorb(self, slab: Slab, count: int, blocks: Blocks, whole: int) -> None:
        """Leave the machine as it would be after the first ``count`` points, which are the first ``whole`` blocks."""
        machine, baseline, (start, joined, steps, values) = self.machine, self.machine.history.baseline, slab
        last = int(blocks.starts[whole - 1])  # the last block is left open
        if whole > 1:
            if baseline.noted:
                recent = blocks.recent(np.arange(1, whole), LEFT_BLOCKS)
                lower = np.flatnonzero(recent < baseline.lowest)
                known = blocks.references(1 + lower) > 0
                baseline.lowest = min([baseline.lowest, *recent[lower[known]].tolist()])
            closed = blocks.closed(whole - 1, baseline.previous)
            first = whole - 1 - len(closed)
            for number in blocks.noted(whole - 1, baseline):
                is_closed = number >= first
                one = closed[number - first] if is_closed else blocks.closed_one(number, baseline.previous)
                baseline.trail.note(one)
            baseline.close(closed)
            baseline.previous = float(values[last - 1])
        baseline.key, baseline.values = int(steps[last]) // baseline.block_steps, values[last : joined + count].tolist()
        end = start + count
        if machine.last_step is not None:
            machine.history.note_gaps(np.append(machine.last_step, self.steps[start:end]))
        machine.history.remember(self.points(max(start, end - machine.history.kept), end), self.values[start:end])
        machine.last_step, machine.points = int(self.steps[end - 1]), machine.points + count
        machine.turned = False
        machine.settle()
