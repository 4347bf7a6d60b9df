"""Replay by the array while something is open: skip stretches in which every rule says the same as at the point before.

What a rule says of a value depends on which of its ``levels`` the last values lie between, as long as what is usual
stays what it is. So after many values that all lie between the same two levels, the next one that does changes counts
and the worst value, until something is due: a rule has waited long enough, a reminder, the end of a healthy window.
Such points, and the first one that lies elsewhere, are left to the state machine.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, by the machine, for long series only

from audioloss_cli.model import MISSING, Alert, Point
from audioloss_cli.monitor.history.series_history import STRIDE_POINTS
from audioloss_cli.monitor.lifecycle.group import MEMORY, Group
from audioloss_cli.monitor.points import MANY_REPEATS

if TYPE_CHECKING:
    from audioloss_cli.monitor.replay.vectorised_replay import VectorisedReplay

_MISSING_BITS = np.float64(MISSING).view(np.int64)
_SLABS = (1 << 11, 1 << 16)  # points looked at in one go: first few, four times as many where all were steady


class _Conditions(NamedTuple):
    """What must stay as it is: who is asked, the levels and the memory of all their rules, and what is usual."""

    asked: tuple[str, ...]
    levels: tuple[float, ...]
    memory: int
    reference: float | None
    level: float | None
    spread: float


class StableIncident:
    """The steady stretches of one chunk."""

    def __init__(self, replay: "VectorisedReplay") -> None:
        self.replay = replay
        self.machine = replay.machine
        self._size = _SLABS[0]
        self._known: tuple[_Conditions, int] | None = None  # and the index up to which they lead to nothing new

    def skip(self, start: int) -> tuple[int, list[Alert]]:
        """Take in as many points from ``start`` on as are steady; return their number, and the reminders."""
        machine, history = self.machine, self.machine.history
        stride = int(self.replay.steps[start]) - (machine.last_step or 0) if start < len(self.replay.steps) else 0
        if stride <= 0 or not self.ready():
            return 0, []
        asked = self._asked(history.last(1)[0])
        levels = [group.levels(history) for group in asked]
        if None in levels:
            return 0, []
        flat = sorted({level for part in levels for level in part or ()})
        conditions = _Conditions(
            tuple(group.group for group in asked),
            tuple(flat),
            max([STRIDE_POINTS + 1, *(group.memory(history) for group in asked)]),
            history.reference,
            history.level,
            history.spread,
        )
        known = self._known is not None and self._known[0] == conditions
        if self._known is None or not known or self._known[1] <= start:
            end = self._end(start, flat, conditions.memory)
            self._size = min(4 * self._size, _SLABS[1]) if end - start >= self._size else _SLABS[0]
            self._known = (conditions, end)
        due = min(group.points_until_due(machine.last_step or 0, stride) for group in asked)
        return self._go(start, min(self._known[1], start + due), asked, said=known)

    def _go(self, start: int, end: int, asked: Sequence[Group], *, said: bool) -> tuple[int, list[Alert]]:
        """Up to ``end``; to the first reminder only, unless one was ``said``: rules may fall asleep at it."""
        steps, history, index = self.replay.steps, self.machine.history, start
        critical = [group for group in asked if group.critical]
        speakers = [(group, bool(critical) and critical != [group]) for group in asked]
        stride, step = int(steps[start]) - (self.machine.last_step or 0), self.machine.last_step or 0
        before, repeats, alerts = list(history.points), history.repeats, list[Alert]()
        while index < end:
            waits = [group.points_until_reminder(step, stride, inhibited=other) for group, other in speakers]
            stop = min(end, index + min(waits) + said)  # with the point of the reminder, if it is said here
            if stop > index:
                step += (stop - index) * stride
                for group in asked:
                    group.stay(stop - index, step)
            if not said or stop - index <= min(waits):
                index = stop
                break
            point = self.replay.points(stop - 1, stop)[0]
            history.see(point, repeats + stop - start if repeats >= MANY_REPEATS else 1)
            for (group, other), wait in zip(speakers, waits, strict=True):
                alerts += group.remind(point, history, inhibited=other) if wait == stop - index - 1 else []
            index = stop
        if index > start:
            history.repeats = repeats
            self._absorb(start, index, asked, before)
        return index - start, alerts

    def ready(self) -> bool:
        """Only while something is open, and what is usual stays what it is."""
        machine, history = self.machine, self.machine.history
        if machine.recovery.running or not machine.busy or machine.turned or machine.loaded:
            return False
        if history.start is None or len(history.points) < MEMORY or history.baseline.values:
            return False
        value = history.last(1)[0]
        return machine.frozen or value - value != 0

    def _asked(self, value: float) -> Sequence[Group]:
        """The groups that the machine would ask about one more of these values."""
        machine = self.machine
        if value - value != 0:
            return machine.asked_of_no_number
        return machine.asked_of_repeats if machine.history.repeats >= MANY_REPEATS else machine.asked

    def _end(self, start: int, levels: Sequence[float], memory: int) -> int:
        """Index of the first point that may be something new, or the end of the slab."""
        replay, machine, history = self.replay, self.machine, self.machine.history
        end = replay.until_news(start, min(start + self._size, len(replay.values)))
        values, recent = replay.values[start:end], np.array(history.last(memory))
        steps = np.array([point.step for point in list(history.points)[-memory:]])
        strides = np.diff(np.concatenate([steps, replay.steps[start:end]]))
        cells = _cells(np.concatenate([recent, values]), levels)
        if (cells[:memory] != cells[0]).any() or (strides[: memory - 1] != strides[0]).any() or strides[0] <= 0:
            return start
        new = (cells[memory:] != cells[0]) | (strides[memory - 1 :] != strides[0])
        value = float(recent[-1])
        if value - value == 0:
            low, high = machine.inactive_interval
            new |= ~((values >= low) & (values < high))
            new |= self.repeats_change(values)
        return start + int(np.argmax(new)) if new.any() else end

    def repeats_change(self, values: Any) -> Any:
        """Where values begin to be repeated, or cease to be."""
        history = self.machine.history
        if history.repeats >= MANY_REPEATS:
            return values != history.last(1)[0]
        joined = np.concatenate([history.last(MANY_REPEATS - 1), values])
        same = np.append(False, joined[1:] == joined[:-1])
        run = np.convolve(same, np.ones(MANY_REPEATS - 1, np.int64))[: len(same)]
        return run[MANY_REPEATS - 1 :] >= MANY_REPEATS - 1

    def _absorb(self, start: int, end: int, asked: Sequence[Group], before: Sequence[Point]) -> None:
        """Let incidents and the past know of these points, which follow those ``before``."""
        replay, machine, history = self.replay, self.machine, self.machine.history
        values = replay.values[start:end]
        points = replay.points(max(start, end - history.kept), end)
        places = sorted({int(np.argmin(values)), int(np.argmax(values))})
        extremes = [replay.points(start + place, start + place + 1)[0] for place in places]
        for group in asked:
            group.extend(end - start, points[-1], extremes)
        history.look_back(before)
        history.remember(points, values)
        machine.last_step, machine.points = points[-1].step, machine.points + end - start


def _cells(values: Any, levels: Sequence[float]) -> Any:
    """Between which levels each value lies; what is no finite number has a cell of its own."""
    cells = np.searchsorted(np.array(levels), values, "right")
    cells[np.isnan(values)] = -1
    cells[values.view(np.int64) == _MISSING_BITS] = -2
    cells[values == np.inf] = -3
    cells[values == -np.inf] = -4
    return cells
