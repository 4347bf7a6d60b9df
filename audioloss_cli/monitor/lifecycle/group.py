"""A group of rules over many points at which each of its rules says the same as at the last one.

Then nothing changes but counts and the worst value, until something is due: a rule has waited long enough, a reminder,
the end of a healthy window. ``Steady`` asks how far away that is and goes there in one step.
"""

from collections.abc import Sequence

from audioloss_cli.model import Alert, Point
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.lifecycle.lifecycle import POINTS_OF_A_WINDOW, Lifecycle
from audioloss_cli.monitor.ruleset import CodedRule

_LONG = 1 << 62


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
        return max(_fit(since + coded.rule.for_steps - 1 - step, stride), coded.rule.for_points - points - 1, 0)

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
        return min(self._since[coded.code][0] + coded.rule.for_steps - 1 for coded in self.waits_for)

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


def _fit(steps: int, stride: int) -> int:
    """How many points, so many steps apart, lie within less than these steps from here."""
    return -(-steps // stride) - 1
