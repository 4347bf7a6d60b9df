"""Vectorised replay of an incident that fires and is only reminded of: a noisy loss around a threshold, for good.

Once an incident flaps it stays firing until a whole window is healthy; one that does not fires as long as some rule
holds. What its rules say is then known of many points at once. A rule that looks at one value alone says of each what
it says of any other between the same two of its ``levels``; any other rule says what it said at the last point, as
long as its values stay between the same two. What the incident comes to (how long each rule has held, who speaks, when
a window is healthy) is counted over arrays. The first point at which something else than a reminder may happen is left
to the state machine.
"""

from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: TID253  # opened late, by the machine, for long series only

from audioloss_cli.model import Alert, InactiveRange, LossRule
from audioloss_cli.monitor.history.series_history import STRIDE_POINTS
from audioloss_cli.monitor.lifecycle.group import Group
from audioloss_cli.monitor.points import MANY_REPEATS
from audioloss_cli.monitor.replay.course import Course, Held, held_over
from audioloss_cli.monitor.ruleset import CodedRule

if TYPE_CHECKING:
    from audioloss_cli.monitor.replay.stable_incident import StableIncident

_SLABS = (1 << 11, 1 << 16)  # points looked at in one go: first few, four times as many where all could be counted
_STRIDES = STRIDE_POINTS + 1
_LEAST = 48  # points: fewer are not worth the arrays


class ChronicIncident:
    """The stretches of one chunk over which one incident fires on and nothing else is open.

    Args:
        stable: knows the chunk, and where values begin to be repeated.
    """

    def __init__(self, stable: "StableIncident") -> None:
        self._stable = stable
        self._replay = stable.replay
        self._machine = stable.replay.machine
        self._size = _SLABS[0]

    def skip(self, start: int) -> tuple[int, list[Alert]]:
        """Take in as many points from ``start`` on as can be counted; return their number, and the reminders."""
        group = self._group(start)
        if group is None:
            return 0, []
        end = self._end(start, group)
        if end - start < _LEAST:
            return 0, []
        rules = self._verdicts(group, start, end) if self._worse(group) else None
        if rules is None:
            return 0, []
        steps = self._replay.steps[start : start + len(rules[0].holds)]
        course = Course(group, rules, steps)
        count = course.count
        if not self._settles_alike(group, start + count - 1):  # after a reminder other rules may be asked
            count = min([count, *course.reminders(count)[:1]])
        self._size = min(4 * self._size, _SLABS[1]) if count >= self._size else _SLABS[0]
        if count < _LEAST:
            return 0, []
        alerts = self._remind(group, course, start, count)
        self._absorb(group, course, start, count)
        return count, alerts

    def _group(self, start: int) -> Group | None:
        """The group whose incident fires, if no other group has a say while values lie in the inactive interval."""
        machine, history = self._machine, self._machine.history
        if start >= len(self._replay.values) or not self._stable.ready() or history.guess.open:
            return None
        if not machine.frozen or history.repeats >= MANY_REPEATS:
            return None
        busy = [group for group in machine.groups if not group.idle]
        return busy[0] if busy == machine.asked and len(busy) == 1 and busy[0].fires_on else None

    def _end(self, start: int, group: Group) -> int:
        """Index of the first point that another group, or a restart, may make something new of."""
        replay, machine = self._replay, self._machine
        end = replay.until_news(start, min(start + self._size, len(replay.values)))
        values, steps = replay.values[start:end], replay.steps[start:end]
        low, high = machine.inactive_interval
        new = ~((values >= low) & (values < high)) | ~np.isfinite(values)
        new |= self._stable.repeats_change(values)
        new |= np.diff(steps, prepend=machine.last_step or 0) <= 0
        return start + int(np.argmax(new)) if new.any() else end

    @staticmethod
    def _worse(group: Group) -> Any:
        """What picks the place of the worst value: all rules that are asked must agree on it."""
        found = {(coded.rule.worse(0.0, 1.0), coded.rule.worse(1.0, 0.0)) for coded in group.asked_rules}
        return {(True, False): np.argmin, (False, True): np.argmax}.get(found.pop()) if len(found) == 1 else None

    def _verdicts(self, group: Group, start: int, end: int) -> list[Held] | None:
        """What each rule says of the points up to the first one at which that is not known; None if of none it is."""
        found, steps = list[tuple[CodedRule, Any, bool]](), self._replay.steps[start:end]
        for coded in group.asked_rules:
            known = self._known(coded, group, start, end)
            if known is None:
                return None
            found.append((coded, *known))
        if not any(against for _, _, against in found):  # a rule that is screened may speak against trouble, or not
            return None
        count = min(len(holds) for _, holds, _ in found)
        return [held_over(coded, holds[:count], against, group, steps[:count]) for coded, holds, against in found]

    def _known(self, coded: CodedRule, group: Group, start: int, end: int) -> tuple[Any, bool] | None:
        """Where one rule holds, and whether it speaks against trouble elsewhere; None if that is not known."""
        history, rule = self._machine.history, coded.rule
        held = group.held_just_now(coded) is not False
        if type(rule).screen is not LossRule.screen and not held:
            return self._nowhere(coded, start, end), False
        values, steps = self._replay.values[start:end], self._replay.steps[start:end]
        known = self._holds_on(rule, values, steps) if held else None
        if known is not None:
            return known
        levels, memory = rule.levels(history), group.memory_of(coded, history)
        if levels is None:
            return None
        recent = history.last(memory)
        cells = np.searchsorted(np.array(sorted(set(levels))), np.concatenate([recent, values]), "right")
        if memory == 1:
            return self._of_one_value(coded, group, cells[len(recent) :], start)
        known = None if held else self._rests(rule, values)
        return known or self._as_before(coded, group, cells, len(recent), steps)

    def _holds_on(self, rule: LossRule, values: Any, steps: Any) -> tuple[Any, bool] | None:
        """A rule that holds, and is not over, whether it holds or not: see ``LossRule.keeps``."""
        history, keeps = self._machine.history, rule.keeps(self._machine.history)
        if keeps is None:
            return None
        low, high, width = keeps  # there are 128 points at least
        joined = np.concatenate([history.last(width), values])
        inside = np.cumsum((joined >= low) & (joined < high))
        over = 2 * (inside[width:] - inside[:-width]) <= width
        points = list(history.points)[-_STRIDES:]
        strides = np.diff(np.concatenate([[point.step for point in points], steps]))
        if (strides[: _STRIDES - 1] != strides[0]).any():
            return None
        over |= strides[_STRIDES - 1 :] != strides[0]
        count = int(np.argmax(over)) if over.any() else len(over)
        return (np.ones(count, bool), True) if count else None

    def _rests(self, rule: LossRule, values: Any) -> tuple[Any, bool] | None:
        """A rule that does not hold: nor does it within its inactive ranges, and says the same of each value there."""
        history = self._machine.history
        if not rule.inactive:
            return None
        low, high = InactiveRange.all_of(rule.inactive).interval(history.reference, history.level, history.start)
        outside = ~((values >= low) & (values < high))
        count = int(np.argmax(outside)) if outside.any() else len(outside)
        if not count or not low <= history.points[-1].value < high:
            return None
        return np.zeros(count, bool), rule.holds(history.points[-1], history) is False

    def _nowhere(self, coded: CodedRule, start: int, end: int) -> Any:
        """A rule that tells by the array where it may hold: it does not, up to there."""
        may_hold = coded.rule.screen(
            self._replay.values[start:end], self._replay.companions(start, end), self._machine.history
        )
        return np.zeros(int(np.argmax(may_hold)) if may_hold.any() else end - start, bool)

    def _as_before(
        self, coded: CodedRule, group: Group, cells: Any, before: int, steps: Any
    ) -> tuple[Any, bool] | None:
        """A rule that looks back: all says what it said, as far as values and steps go on as they did."""
        history, holds = self._machine.history, group.held_just_now(coded)
        if holds is None or before < group.memory_of(coded, history):
            return None
        points = list(history.points)[-before:]
        strides = np.diff(np.concatenate([[point.step for point in points], steps]))
        if (cells[:before] != cells[0]).any() or (strides[: before - 1] != strides[0]).any():
            return None
        new = (cells[before:] != cells[0]) | (strides[before - 1 :] != strides[0])
        count = int(np.argmax(new)) if new.any() else len(new)
        against = not holds and coded.rule.holds(points[-1], history) is False
        return np.full(count, holds), against

    def _of_one_value(self, coded: CodedRule, group: Group, cells: Any, start: int) -> tuple[Any, bool] | None:
        """A rule that looks at one value: it is asked of one in each cell."""
        history, holds = self._machine.history, np.zeros(len(cells), bool)
        over, count = np.ones(len(cells), bool), len(cells)
        for cell in np.flatnonzero(np.bincount(cells)).tolist():
            where = cells == cell
            first = int(np.argmax(where))
            (point,) = self._replay.points(start + first, start + first + 1)
            verdict = coded.rule.holds(point, history)
            if verdict is None:
                count = min(count, first)
                continue
            holds[where] = verdict
            over[where] = verdict or coded.rule.clears(point, history)
        before = group.held_just_now(coded)
        if before is None:
            return None
        if not over.all():  # it may hold still where it neither holds nor is over
            known = np.maximum.accumulate(np.where(over, np.arange(len(over)), -1))
            holds = np.where(known >= 0, holds[known], before)
        return holds[:count], True

    def _settles_alike(self, group: Group, last: int) -> bool:
        """Whether no rule that is asked turns inactive up to the point ``last``: what is inactive once stays so."""
        history = self._machine.history
        before, repeats = list(history.points), history.repeats
        history.see(self._replay.points(last, last + 1)[0], 1)
        inactive = any(coded.rule.is_inactive(history) for coded in group.asked_rules)
        history.look_back(before)
        history.repeats = repeats
        return not inactive

    def _remind(self, group: Group, course: Course, start: int, count: int) -> list[Alert]:
        """The reminders among the first ``count`` points."""
        history, alerts = self._machine.history, list[Alert]()
        before, repeats = list(history.points), history.repeats
        for place in course.reminders(count):
            (point,) = self._replay.points(start + place, start + place + 1)
            history.see(point, 1)
            speaker = course.speaker(place)
            alerts.append(group.remind_of(point, history, speaker.coded, *course.since(speaker, place)))
        history.look_back(before)
        history.repeats = repeats
        return alerts

    def _absorb(self, group: Group, course: Course, start: int, count: int) -> None:
        """Let the incident and the history know of the first ``count`` points."""
        replay, machine, history = self._replay, self._machine, self._machine.history
        end = start + count
        bad = np.flatnonzero(course.bad[:count])
        worst = int(bad[self._worse(group)(replay.values[start:end][bad])]) if len(bad) else 0
        named = [start + place for place in (worst, int(bad[-1]) if len(bad) else 0, course.healthy_from(count))]
        extreme, last_bad, healthy = (replay.points(place, place + 1)[0] if place >= start else None for place in named)
        group.flap_on(
            count,
            int(replay.steps[end - 1]),
            worse=group.asked_rules[0].rule.worse,
            bad=len(bad),
            extremes=[each for each in (extreme, last_bad) if each is not None and len(bad)],
            came_back=course.came_back(count),
            since={held.coded: course.since(held, count - 1) for held in course.rules if held.holds[count - 1]},
            healthy=healthy,
            healthy_points=int(course.healthy_points[count - 1]),
            speaks_against=bool(course.good[count - 1]),
        )
        points = replay.points(max(start, end - history.kept), end)
        history.note_gaps(np.append(machine.last_step or 0, replay.steps[start:end]))
        history.remember(points, replay.values[start:end])
        machine.last_step, machine.points = points[-1].step, machine.points + count
        machine.unchanged.sure = False
