"""The state machine behind both doors: points in, alerts out."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from audioloss_cli.model import Alert, InactiveRange, Limits, Point, RecoveryAttempt, Series
from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.columns import POINTS_WORTH_IMPORTING
from audioloss_cli.model.incident import Resolution
from audioloss_cli.model.rule import Kind
from audioloss_cli.monitor import ruleset
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.lifecycle.group import Group
from audioloss_cli.monitor.lifecycle.recovery import RecoveryLog
from audioloss_cli.monitor.lifecycle.unchanged_range import UnchangedRange
from audioloss_cli.monitor.points import MANY_REPEATS, plain, points_of
from audioloss_cli.naming.chance import USUAL_CHANCES, ChanceTable

POINTS_WORTH_ARRAYS = 512  # below it costs more than it saves to use numpy, though it is paid for

_Attention = tuple[list[Group], list[Group], list[Group], InactiveRange]  # see ``Machine._attention``


class Machine:
    """One series, watched point by point.

    Attributes:
        groups: the incidents of each group of rules.
        history: the series so far.
        recovery: corrective actions.
        unchanged: whether nothing but counts changes at such a value, though a rule is awake or waited for.
        last_step: of the last point; None at the start and after a restart.
        points: number of points seen.
        segment_starts: index of the first point of each segment; the first is 0.
        low, high: from the one up to below the other no rule can hold but those that are awake: the inactive range.
        asked: the groups that are asked at every point; the others are inactive within ``inactive_interval``.
        asked_of_repeats, asked_of_no_number: the same where a value is repeated, and where it is not finite.
        busy: whether something is open of which not all is said.
        frozen: whether that keeps values from having their part in what is usual.
    """

    def __init__(
        self,
        limits: Limits,
        prefix: str,
        choice: ruleset.Choice,
        kind: Kind | None = None,
        reason: str = "",
        chances: ChanceTable = USUAL_CHANCES,
        axis: TimeAxis = STEPS,
    ) -> None:
        rules = ruleset.rules_by_group(limits, choice, axis.per_update)
        self.groups = [Group(part, limits.window_size, prefix, axis) for part in rules]
        self._relative = [group for group in self.groups if group.relative]
        self.history = SeriesHistory(limits, kind, reason, chances, axis)
        self.recovery = RecoveryLog(axis.span_of(limits.window_size))
        self.unchanged = UnchangedRange(self.groups, self.history, self.recovery)
        self.last_step: int | None = None
        self.points = 0
        self.segment_starts = [0]
        self._wake()
        self.loaded = False  # nothing was said yet of the last point, which another monitor saw
        self.turned = False  # the baseline has taken note of a new block before its first point was taken in
        self.low, self.high, self.busy = 0.0, 0.0, False

    @property
    def bad(self) -> bool:
        """Whether an incident fires and the last point was part of it."""
        return any(group.bad for group in self.groups)

    def advance(self, point: Point) -> list[Alert]:
        """Take in one point."""
        step, value, history = point.step, point.value, self.history
        begins = self.last_step is None or step < self.last_step
        if begins:
            self.restart()
            history.begin_segment(step)
        self.last_step = step
        self.points += 1
        self.loaded = False
        turned, self.turned = history.baseline.turn(step) or self.turned, False
        changed = history.take(point) or begins
        if changed or (turned and any(group.has_turned_inactive(history) for group in self._watchful)):
            self.settle()
        elif turned:
            self._follow()
        if (
            self.low <= value < self.high
            and history.repeats < MANY_REPEATS
            and (self.unchanged.takes(point) or self._is_inactive_at(point))
        ):
            history.fold(step, value)
            return []
        return self._examine(point)

    def _is_inactive_at(self, point: Point) -> bool:
        """At a value at which all others rest: whether nothing is open, and no rule that is awake holds."""
        if self.busy or self.recovery.running:
            return False
        history = self.history
        for rule in self._awake:  # noqa: SIM110  # at every point: a generator costs more than the rules
            if rule.holds(point, history):
                return False
        return True

    def _examine(self, point: Point) -> list[Alert]:
        """Ask every group that this point may concern."""
        history, value = self.history, point.value
        self.unchanged.sure = False
        acting = [group for group in self._concerned(value) if group.look(point, history)]
        critical = [group for group in acting if group.critical] if len(acting) > 1 else []
        alerts: list[Alert] = []
        changed = False
        for group in acting:
            before = group.open
            alerts += group.advance(point, history, inhibited=bool(critical) and critical != [group])
            changed = changed or group.open is not before
        if self.recovery.running:
            self.recovery.judge(point.step, bad=self.bad)
        if alerts:
            self.settle()
        elif changed:
            self._sort()
            self.unchanged.end()
        # Frozen while something is open: a collapse must not become what is usual.
        if value - value == 0 and not self.frozen:
            history.fold(point.step, value)
        return alerts

    def _concerned(self, value: float) -> list[Group]:
        """The groups that have something to do at this value, the current one."""
        repeated = self.history.repeats >= MANY_REPEATS
        low, high = self.inactive_interval
        if low <= value < high:
            return self.asked_of_repeats if repeated else self.asked
        if value - value != 0:  # not finite
            return self.asked_of_no_number
        return [group for group in self.groups if repeated or not group.is_inactive_at(value, self.history)]

    def settle(self) -> None:
        """Rules may have woken up or fallen asleep: say anew at which values nothing can happen."""
        if any([group.settle(self.history) for group in self.groups]):  # noqa: C419  # all of them
            self._wake()
        self.history.baseline.noted = any(rule.reads_lowest for rule in self._awake)
        self._inactive = InactiveRange.all_of([self.history.guess.inactive, *(group.inactive for group in self.groups)])
        self._sort()
        self._follow()

    def _wake(self) -> None:
        """Other rules are awake than before."""
        self._watchful = [group for group in self.groups if group.awake]
        self._awake = [coded.rule for group in self._watchful for coded in group.awake]
        self._sorted: dict[tuple[tuple[bool, bool], ...], _Attention] = {}

    def _sort(self) -> None:
        """Which groups are asked at every point, and where the others rest.

        Between two settlements that depends on what is open alone, and trouble that waits comes and goes by the point.
        """
        standing = tuple([(group.open is None, group.idle) for group in self.groups])
        if standing not in self._sorted:
            self._sorted[standing] = self._attention()
        self.asked, self.asked_of_repeats, self.asked_of_no_number, self._inactive_unless_asked = self._sorted[standing]
        self.busy = any(not group.idle for group in self.asked)
        self.frozen = any(group.freezes(self.history.kind) for group in self._relative)
        self.inactive_interval = self._interval(self._inactive_unless_asked)

    def _attention(self) -> _Attention:
        """At every point, where a value is repeated, where it is not finite; and where the others rest."""
        told = [(group, group.attentive) for group in self.groups]
        return (
            [group for group, attentive in told if attentive],
            [group for group, attentive in told if attentive or group.minds_repeats],
            [group for group, attentive in told if attentive or group.minds_no_number],
            InactiveRange.all_of([group.inactive for group, attentive in told if not attentive]),
        )

    def _follow(self) -> None:
        """What is usual has changed: move the intervals with it."""
        self.unchanged.renew()
        self.low, self.high = self._interval(self._inactive)
        self.inactive_interval = self._interval(self._inactive_unless_asked)

    def _interval(self, inactive: InactiveRange) -> tuple[float, float]:
        return inactive.interval(self.history.reference, self.history.level, self.history.start)

    def replay(self, series: Series, beside: Mapping[str, Sequence[float]], *, arrays: bool = False) -> list[Alert]:
        """Take in a chunk; long ones by the array, but for the points at which something can happen.

        Args:
            series: the chunk.
            beside: other series at its points.
            arrays: numpy is paid for; as it is where the chunk comes in numpy arrays.
        """
        alerts: list[Alert] = []
        least = POINTS_WORTH_ARRAYS if arrays or hasattr(series.values, "dtype") else POINTS_WORTH_IMPORTING
        for start, end in pairwise(sorted({0, *series.restarts, len(series)})):
            if start in series.restarts:
                self.restart()
            parts = (series.steps[start:end], series.values[start:end], series.wall_times[start:end])
            alerts += self._replay(*parts, {name: column[start:end] for name, column in beside.items()}, least)
        return alerts

    def _replay(
        self,
        steps: Sequence[int],
        values: Sequence[float],
        times: Sequence[float],
        beside: Mapping[str, Sequence[float]],
        least: int,
    ) -> list[Alert]:
        if len(values) >= least:
            from audioloss_cli.monitor.replay.vectorised_replay import VectorisedReplay  # noqa: PLC0415  # numpy

            return VectorisedReplay(self, steps, values, times, beside).run()
        columns = {name: plain(column) for name, column in beside.items()}
        alerts, advance = list[Alert](), self.advance
        for point in points_of(plain(steps), plain(values), plain(times), columns):
            if found := advance(point):
                alerts += found
        return alerts

    def restart(self) -> None:
        """End what fires as unresolved; the next point says from where it goes on. Nothing before the first point."""
        if self.last_step is None:
            return
        self.end("restarted")
        for group in self.groups:
            group.segment += 1
        self.history.restart()
        self.recovery.restart()
        self.last_step = None
        self.segment_starts.append(self.points)
        self.settle()

    def absent(self, point: Point) -> list[Alert]:
        """Take note of a step at which other series of the run were logged, and this one was not."""
        if self.last_step is None or point.step <= self.last_step:
            return []
        alerts = list[Alert]()
        for group in self.groups:
            if any(coded.rule.minds_absence for coded in group.rules) and group.look(point, self.history):
                alerts += group.advance(point, self.history, inhibited=False)
        self.settle()
        self.unchanged.end()
        return alerts

    def record_attempt(self, step: int, action: str) -> RecoveryAttempt:
        """Note a corrective action; the points that follow judge it."""
        return self.recovery.record(step, action, bad=self.bad)

    def end(self, resolution: Resolution) -> None:
        """Close what is open; points may follow."""
        for group in self.groups:
            group.end(resolution)
        self._sort()
        self.unchanged.end()

    # Saving and restoring.

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types; see ``AudioLossMonitor.state_dict``."""
        return {
            "points": self.points,
            "last_step": self.last_step,
            "segment_starts": list(self.segment_starts),
            "past": self.history.state_dict(),
            "recovery": self.recovery.state_dict(),
            "groups": {group.group: group.state_dict() for group in self.groups},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken; a group that the state does not know starts afresh."""
        self.points, self.last_step = state["points"], state["last_step"]
        self.segment_starts = list(state["segment_starts"])
        self.loaded = True
        self.history.load_state_dict(state["past"])
        self.recovery.load_state_dict(state["recovery"])
        for group in self.groups:
            if group.group in state["groups"]:
                group.load_state_dict(state["groups"][group.group])
            else:
                group.start_afresh(len(self.segment_starts) - 1)
        self.settle()
