"""The state machine behind both doors: points in, alerts out."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from audioloss_cli.monitor import ruleset
from audioloss_cli.monitor.lifecycle import Lifecycle
from audioloss_cli.monitor.point import Point
from audioloss_cli.monitor.recovery import RecoveryLog
from audioloss_cli.monitor.window import Window
from audioloss_cli.records import Alert, Limits, Series


class Machine:
    """One series, watched point by point.

    Attributes:
        groups: the incidents of each group of rules.
        window: the last points.
        recovery: corrective actions.
        last_step: of the last point; None at the start and after a restart.
        points: number of points seen.
        segment_starts: index of the first point of each segment; the first is 0.
    """

    def __init__(self, limits: Limits, prefix: str) -> None:
        rules = ruleset.coded_rules(limits)
        groups = ruleset.by_group(rules)
        self.groups = [Lifecycle(name, part, limits.window_size, prefix) for name, part in groups.items()]
        self.window = Window(limits.window_size)
        self.recovery = RecoveryLog(limits.window_size)
        self.last_step: int | None = None
        self.points = 0
        self.segment_starts = [0]
        self._low, self._high = ruleset.quiet_interval(rules)

    @property
    def bad(self) -> bool:
        """Whether an incident fires and the last point was part of it."""
        return any(group.bad for group in self.groups)

    def advance(self, point: Point) -> list[Alert]:
        """Take in one point."""
        if self.last_step is not None and point.step < self.last_step:
            self.restart()
        self.last_step = point.step
        self.points += 1
        self.window.add(point.step, point.value)
        if self._low <= point.value < self._high and self._idle():
            return []
        for group in self.groups:
            group.look(point)
        critical = [group for group in self.groups if group.critical]
        alerts = []
        for group in self.groups:
            alerts += group.advance(point, inhibited=any(other is not group for other in critical))
        self.recovery.judge(point.step, bad=self.bad)
        return alerts

    def replay(self, series: Series) -> list[Alert]:
        """Take in a chunk: each stretch of quiet points is skipped while nothing is open, the others advance."""
        alerts: list[Alert] = []
        for start, end in pairwise(sorted({0, *series.restarts, len(series)})):
            if start in series.restarts:
                self.restart()
            steps, values, times = (
                _plain(buffer[start:end]) for buffer in (series.steps, series.values, series.wall_times)
            )
            index = 0
            while index < len(values):
                if self._idle():
                    index = self._skip_quiet(steps, values, index)
                if index < len(values):
                    alerts += self.advance(Point(steps[index], values[index], times[index]))
                    index += 1
        return alerts

    def restart(self) -> None:
        """End what fires as unresolved, and watch the next points afresh; nothing before the first point."""
        if self.last_step is None:
            return
        for group in self.groups:
            group.end("restarted")
            group.segment += 1
        self.window.clear()
        self.recovery.restart()
        self.last_step = None
        self.segment_starts.append(self.points)

    def _idle(self) -> bool:
        """Nothing is open and nothing is waited for, so a point in the quiet interval changes nothing."""
        return not self.recovery.running and all(group.open is None for group in self.groups)

    def _skip_quiet(self, steps: Sequence[int], values: Sequence[float], start: int) -> int:
        """Take in the quiet points from ``start`` on at once; return the index of the first other one."""
        low, high = self._low, self._high
        end, last = start, steps[start] if self.last_step is None else self.last_step
        while end < len(values) and low <= values[end] < high and steps[end] >= last:
            last = steps[end]
            end += 1
        if end > start:
            self.points += end - start
            self.last_step = last
            first = max(start, end - self.window.size)
            self.window.extend(steps[first:end], values[first:end])
        return end

    # Saving and restoring.

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types; see ``AudioLossMonitor.state_dict``."""
        return {
            "points": self.points,
            "last_step": self.last_step,
            "segment_starts": list(self.segment_starts),
            "window": [list(point) for point in self.window.points()],
            "recovery": self.recovery.state_dict(),
            "groups": {group.group: group.state_dict() for group in self.groups},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken; a group that the state does not know starts afresh."""
        self.points, self.last_step = state["points"], state["last_step"]
        self.segment_starts = list(state["segment_starts"])
        self.window.clear()
        for step, value in state["window"]:
            self.window.add(step, value)
        self.recovery.load_state_dict(state["recovery"])
        for group in self.groups:
            if group.group in state["groups"]:
                group.load_state_dict(state["groups"][group.group])
            else:
                group.start_afresh(len(self.segment_starts) - 1)


def _plain(buffer: Any) -> Sequence[Any]:
    """Built-in numbers: indexing a numpy array one by one costs ten times as much."""
    return buffer.tolist() if hasattr(buffer, "tolist") else buffer  # type: ignore[no-any-return]
