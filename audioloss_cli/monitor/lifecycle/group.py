"""A group of rules over many points at which each of its rules says the same as at the last one.

Then nothing changes but counts and the worst value, until something is due: a rule has waited long enough, a reminder,
the end of a healthy window. ``Steady`` asks how far away that is and goes there in one step.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from audioloss_cli.model import Alert, Incident, Point
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.lifecycle import incident_alerts
from audioloss_cli.monitor.lifecycle.lifecycle import POINTS_OF_A_WINDOW, Lifecycle
from audioloss_cli.monitor.ruleset import CodedRule

_LONG = 1 << 62
MEMORY = 128  # points: no rule looks further back


class Group(Lifecycle):
    """A lifecycle that can stay as it is for many points."""

    def levels(self, history: SeriesHistory) -> list[float] | None:
        """Those of all its rules; None if one of them has none."""
        found = list[float]()
        for coded in self._rules:
            levels = coded.rule.levels(history)
            if levels is None:
                return None
            found += levels
        return found

    def memory(self, history: SeriesHistory) -> int:
        """How many points must lie between the same levels for all its rules to say the same of the next one."""
        return max([self.memory_of(coded, history) for coded in self._rules], default=1)

    def memory_of(self, coded: CodedRule, history: SeriesHistory) -> int:
        """The same of one rule."""
        own = coded.rule.memory(history)
        return own if own == 1 or coded.code not in self._since else MEMORY

    def points_until_due(self, step: int, stride: int) -> int:
        """How many more such points, so many steps apart, lead to reminders at most, after one at ``step``."""
        if self.open is None:
            return _LONG
        if not self._held:
            return self._points_until_calm(step, stride) if self._speaks_against else _LONG
        waits = [self._points_until_ready(coded, step, stride) for coded in self._held if not self._has_waited(coded)]
        return min(waits, default=_LONG)

    def points_until_reminder(self, step: int, stride: int, *, inhibited: bool) -> int:
        """How many more such points lead to no reminder."""
        if self._ready(inhibited=inhibited) is None:
            return _LONG
        return max(_fit(self._last_alert + self.window - step, stride), 0)

    def remind(self, point: Point, history: SeriesHistory, *, inhibited: bool) -> list[Alert]:
        """At such a point, which is counted already."""
        speaker = self._ready(inhibited=inhibited)
        if self.open is None or speaker is None:
            return []
        return self._speak(self.open, point, history, speaker, came_back=False)

    def _points_until_ready(self, coded: CodedRule, step: int, stride: int) -> int:
        since, points = self._since[coded.code]
        return max(_fit(since + coded.wait - step, stride), coded.rule.for_points - points - 1, 0)

    def _points_until_calm(self, step: int, stride: int) -> int:
        healthy = step if self._healthy is None else self._healthy.step
        return max(_fit(healthy + self.window - 1 - step, stride), POINTS_OF_A_WINDOW - self._healthy_points - 1, 0)

    def stay(self, count: int, step: int) -> None:
        """Advance by ``count`` such points, the last of them at ``step``."""
        self._now = step
        if self.open is None:
            return
        self._points += count
        self._healthy_points += count if self._speaks_against else 0
        for coded in self._held:
            since, points = self._since[coded.code]
            self._since[coded.code] = (since, points + count)

    @property
    def waits_for(self) -> list[CodedRule]:
        """The rules that have held without a break, where all of a pending incident waits for them; else none."""
        if self.open is None or self.open.state != "pending":
            return []
        held = [coded for coded in self._rules if coded.code in self._since]
        return held if len(held) == len(self._since) else []

    def holds_just(self, rules: list[CodedRule]) -> bool:
        """Whether all of these rules held at the last point that was looked at, and no other is taken to hold still."""
        return len(self._since) == len(rules) and self._held == rules

    @property
    def ready_from(self) -> int:
        """Step before which none of the rules that hold has waited long enough."""
        return min(self._since[coded.code][0] + coded.wait for coded in self.waits_for)

    def wait(self, point: Point) -> None:
        """Advance by a point at which just the same rules hold, before the step from which one of them is ready."""
        self._now, self._points, since = point.step, self._points + 1, self._since
        for coded in self._held:
            begin, points = since[coded.code]
            since[coded.code] = (begin, points + 1)
        if self.open is not None:
            self._extend(self.open, point)

    def extend(self, count: int, last: Point, extremes: Sequence[Point]) -> None:
        """Let the incident know of ``count`` such points: the ``last`` of them, the lowest and the highest."""
        if self.open is not None and self._held:
            for point in (*extremes, last):
                self._extend(self.open, point)
            self.open.points += count - len(extremes) - 1

    # While it fires and nothing else is open: see ``ChronicIncident``.

    @property
    def fires_on(self) -> bool:
        """Whether the open incident fires, and has been said."""
        return self.firing and self._speaker is not None

    @property
    def flaps(self) -> bool:
        """Whether the open incident comes and goes, so that single healthy points do not resolve it."""
        return self.open is not None and self.open.flapping

    @property
    def asked_rules(self) -> list[CodedRule]:
        """The rules that are asked, by rank."""
        return self._rules

    @property
    def denied(self) -> bool:
        """Whether something speaks against the open incident at every finite value, though it is not asked."""
        return self._denies_all or self._denied

    @property
    def healthy(self) -> tuple[Point | None, int]:
        """First point of the healthy stretch that the last point belongs to, and how many it has."""
        return self._healthy, self._healthy_points

    @property
    def points_of_a_window(self) -> int:
        """How many healthy points close an incident at least."""
        return POINTS_OF_A_WINDOW

    @property
    def last_alert(self) -> int:
        """Step of the last alert."""
        return self._last_alert

    @property
    def speaker_rank(self) -> tuple[int, int, int, int, int]:
        """Of the rule that spoke last, but for reminders."""
        return self._speaker.rank if self._speaker else (-1, 0, 0, 0, 0)

    def since(self, coded: CodedRule) -> tuple[int, int]:
        """Step since which a rule holds, and at how many points; zeros if it does not."""
        return self._since.get(coded.code, (0, 0))

    def held_just_now(self, coded: CodedRule) -> bool | None:
        """Whether a rule held at the last point; None if it said nothing then, and held before."""
        if coded in self._held:
            return True
        return None if coded.code in self._since else False

    def remind_of(self, point: Point, history: SeriesHistory, speaker: CodedRule, since: int, points: int) -> Alert:
        """The reminder at a point, by a rule that has held since then."""
        self._last_alert = point.step
        message = speaker.rule.explain(point, history, since, points)
        return incident_alerts.reminder(cast("Incident", self.open), point, speaker, message)

    def flap_on(
        self,
        count: int,
        step: int,
        *,
        worse: Callable[[float, float], bool],
        bad: int,
        extremes: Sequence[Point],
        came_back: int,
        since: Mapping[CodedRule, tuple[int, int]],
        healthy: Point | None,
        healthy_points: int,
        speaks_against: bool,
    ) -> None:
        """Advance by many points at once.

        Args:
            count: how many, the last of them at ``step``.
            step: see there.
            worse: see ``LossRule.worse``.
            bad: at how many of them a rule held.
            extremes: the worst of those, and the last.
            came_back: how often a rule spoke again after a healthy point.
            since: the rules that hold at the last point, with the step since which, and at how many points, they do.
            healthy: first point of the healthy stretch at the end, if it lies among them; None: as it was.
            healthy_points: how many points that stretch has; 0 if the last point is none of it.
            speaks_against: whether the last point is a healthy one.
        """
        incident = cast("Incident", self.open)
        self._now, self._points = step, self._points + count
        self._held = [coded for coded in self._rules if coded in since]
        self._speaks_against = speaks_against
        begun = {coded.code: since[coded] for coded in sorted(self._held, key=lambda coded: since[coded][0])}
        kept = {code: begun[code] for code, (step, _) in self._since.items() if begun.get(code, (-1,))[0] == step}
        self._since = kept | begun  # in the order in which they began to hold
        for point in extremes:
            if worse(point.value, incident.worst_value):
                incident.worst_value, incident.worst_step = point.value, point.step
            incident.last_step, incident.last_wall_time = point.step, point.wall_time
        incident.points += bad
        incident.fire_count += came_back
        self._healthy = (healthy or self._healthy) if healthy_points else None
        self._healthy_points = healthy_points


def _fit(steps: int, stride: int) -> int:
    """How many points, so many steps apart, lie within less than these steps from here."""
    return -(-steps // stride) - 1
