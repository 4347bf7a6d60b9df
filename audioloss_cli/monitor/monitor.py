"""AudioLossMonitor: one state machine with two doors, ``update`` for a live loop and ``replay`` for a log."""

import time
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from audioloss_cli.monitor import ruleset
from audioloss_cli.monitor.lifecycle import Lifecycle
from audioloss_cli.monitor.point import Point
from audioloss_cli.monitor.recovery import RecoveryLog
from audioloss_cli.monitor.scalars import as_loss, as_step
from audioloss_cli.monitor.window import Window
from audioloss_cli.records import Alert, Incident, Limits, RecoveryAttempt, Series, Severity

_STATE_VERSION = 1


class AudioLossMonitor:
    """Watches one loss series and says, once, when it goes wrong and when it comes back.

    ``update`` point by point and ``replay`` in chunks of any size lead to the same alerts and the same incidents. A
    step that goes back is a restart: what fires is closed as ``restarted`` and the series is watched afresh.

    Args:
        window_size: window in training steps, whatever the logging cadence.
        threshold: a loss strictly below it is a warning (nats, mean over codebooks).
        critical_threshold: a loss strictly below it is critical.
        scale: the factor by which the logged loss is larger than the mean over codebooks: 8 for a sum over 8 of them.
            Thresholds are multiplied by it; values are reported as logged.
        name: put in front of incident ids, to tell the series of a report apart.

    Raises:
        ValueError: limits that make no sense; see ``Limits``.
    """

    def __init__(
        self,
        window_size: int = 100,
        threshold: float = 0.01,
        critical_threshold: float = 0.005,
        *,
        scale: float = 1.0,
        name: str = "",
    ) -> None:
        self.limits = Limits(window_size, threshold, critical_threshold).scaled(scale)
        rules = ruleset.coded_rules(self.limits)
        prefix = f"{name}:" if name else ""
        self._groups = [Lifecycle(group, part, window_size, prefix) for group, part in ruleset.by_group(rules).items()]
        self._quiet = ruleset.quiet_interval(rules)
        self._window = Window(window_size)
        self._recovery = RecoveryLog(window_size)
        self._last_step: int | None = None
        self._points = 0
        self._segment_starts = [0]

    # The two doors.

    def update(self, loss: Any, step: int, wall_time: float | None = None) -> list[Alert]:
        """Take in one point; return the alerts that it raises, most often none.

        Args:
            loss: a float, an int, a numpy scalar or a 0-d torch tensor; None for a value that is missing.
            step: training step; a step lower than the last one is a restart.
            wall_time: Unix seconds; now, if None.

        Raises:
            TypeError: the loss is not one number, or the step not a whole one.
            ValueError: the step does not fit in 64 bits.
        """
        return self._advance(Point(as_step(step), as_loss(loss), time.time() if wall_time is None else wall_time))

    def replay(self, series: Series) -> list[Alert]:
        """Take in a chunk of a series; return the alerts that its points raise, in order.

        Args:
            series: the buffers may be ``array.array`` or numpy arrays (int64 steps, float64 values and wall times).
        """
        alerts: list[Alert] = []
        for start, end in pairwise(sorted({0, *series.restarts, len(series)})):
            if start in series.restarts:
                self.restart()
            part = (_plain("q", series.steps, start, end), _plain("d", series.values, start, end))
            alerts += self._replay(*part, _plain("d", series.wall_times, start, end))
        return alerts

    def restart(self) -> None:
        """The training restarted here: end what fires as unresolved, and watch the next points afresh."""
        if self._last_step is None:
            return
        for group in self._groups:
            group.end("restarted")
            group.segment += 1
        self._window.clear()
        self._recovery.restart()
        self._last_step = None
        self._segment_starts.append(self._points)

    def finish(self) -> list[Incident]:
        """The run ended: what still fires is unresolved (``run_ended``). Return every incident."""
        for group in self._groups:
            group.end("run_ended")
        return self.incidents

    # What it knows.

    @property
    def incidents(self) -> list[Incident]:
        """Every incident that fired, by first step; those whose ``resolution`` is None are open."""
        fired = [item for group in self._groups for item in group.closed]
        fired += [group.open for group in self._groups if group.open is not None and group.open.state != "pending"]
        return sorted(fired, key=lambda incident: (incident.segment, incident.first_step, incident.group))

    @property
    def recovered_incidents(self) -> list[Incident]:
        """Incidents whose loss came back; ``duration_steps`` says after how long."""
        return [incident for incident in self.incidents if incident.resolution == "recovered"]

    @property
    def recovery_attempts(self) -> list[RecoveryAttempt]:
        """Every attempt that was recorded, with its outcome so far."""
        return list(self._recovery.attempts)

    @property
    def segment_starts(self) -> list[int]:
        """Index of the first point of each segment, counted over all points seen; the first is 0."""
        return list(self._segment_starts)

    def record_recovery_attempt(self, step: int, action: str) -> RecoveryAttempt:
        """Note a corrective action; whether the loss comes back within a window is filled in as points arrive.

        Raises:
            TypeError: the step is not a whole number.
        """
        return self._recovery.record(as_step(step), action)

    def diagnostics(self) -> dict[str, Any]:
        """What the monitor sees right now.

        Returns:
            A dict: ``points`` (all that were seen), ``last_step``, ``limits``; over the window ``history_size``,
            ``current``, ``min``, ``max``, ``mean``, ``median`` (of the finite values, None if there is none),
            ``not_finite``, ``below_threshold``, ``below_critical_threshold``; ``open_incidents``, ``closed_incidents``
            and ``recovery_attempts`` as lists of dicts.
        """
        statistics = self._window.statistics(self.limits.threshold, self.limits.critical_threshold)
        fired = self.incidents
        return {
            "points": self._points,
            "last_step": self._last_step,
            "window_size": self.limits.window_size,
            "threshold": self.limits.threshold,
            "critical_threshold": self.limits.critical_threshold,
            **statistics,
            "open_incidents": [dict(incident) for incident in fired if incident.resolution is None],
            "closed_incidents": [dict(incident) for incident in fired if incident.resolution is not None],
            "recovery_attempts": [dict(attempt) for attempt in self._recovery.attempts],
        }

    # Saving and restoring.

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs to go on in mid-incident, as plain built-in types.

        The limits are not part of it: they belong to the constructor, so that a resumed run may change them.
        """
        return {
            "version": _STATE_VERSION,
            "points": self._points,
            "last_step": self._last_step,
            "segment_starts": self.segment_starts,
            "window": [list(point) for point in self._window.points()],
            "recovery": self._recovery.state_dict(),
            "groups": {group.group: group.state_dict() for group in self._groups},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken; a group of rules that the state does not know starts afresh.

        Raises:
            ValueError: the state comes from another version of the format.
        """
        if state.get("version") != _STATE_VERSION:
            raise ValueError(f"monitor state has version {state.get('version')!r}, this release reads {_STATE_VERSION}")
        self._points, self._last_step = state["points"], state["last_step"]
        self._segment_starts = list(state["segment_starts"])
        self._window.clear()
        for step, value in state["window"]:
            self._window.add(step, value)
        self._recovery.load_state_dict(state["recovery"])
        for group in self._groups:
            if group.group in state["groups"]:
                group.load_state_dict(state["groups"][group.group])

    # The state machine.

    def _idle(self) -> bool:
        """Nothing is open and nothing is waited for, so a point in the quiet interval changes nothing."""
        return not self._recovery.running and all(group.open is None for group in self._groups)

    def _advance(self, point: Point) -> list[Alert]:
        if self._last_step is not None and point.step < self._last_step:
            self.restart()
        self._last_step = point.step
        self._points += 1
        self._window.add(point.step, point.value)
        if self._quiet[0] <= point.value < self._quiet[1] and self._idle():
            return []
        alerts = [(group, alert) for group in self._groups for alert in group.observe(point)]
        if self._recovery.running:
            self._recovery.judge(point.step, firing=any(group.firing for group in self._groups))
        return [alert for group, alert in alerts if not self._inhibited(group, alert)]

    def _inhibited(self, group: Lifecycle, alert: Alert) -> bool:
        """Critical inhibits warning: while another kind of trouble is critical, no warning about the series is sent."""
        return alert.severity is Severity.WARNING and any(
            other.firing is Severity.CRITICAL for other in self._groups if other is not group
        )

    def _replay(self, steps: Sequence[int], values: Sequence[float], wall_times: Sequence[float]) -> list[Alert]:
        """Skip each stretch of quiet points while nothing is open; the others enter the state machine one by one."""
        alerts: list[Alert] = []
        index = 0
        while index < len(values):
            if self._idle():
                end = self._end_of_quiet(steps, values, index)
                self._skip(steps[index:end], values[index:end])
                index = end
            if index < len(values):
                alerts += self._advance(Point(steps[index], values[index], wall_times[index]))
                index += 1
        return alerts

    def _end_of_quiet(self, steps: Sequence[int], values: Sequence[float], index: int) -> int:
        low, high = self._quiet
        last = steps[index] if self._last_step is None else self._last_step
        while index < len(values) and low <= values[index] < high and steps[index] >= last:
            last = steps[index]
            index += 1
        return index

    def _skip(self, steps: Sequence[int], values: Sequence[float]) -> None:
        if steps:
            self._points += len(steps)
            self._last_step = steps[-1]
            self._window.extend(steps[-self._window.size :], values[-self._window.size :])


def _plain(typecode: str, buffer: Any, start: int, end: int) -> Sequence[Any]:
    """A slice as array.array: indexing a numpy array one by one costs ten times as much."""
    part = buffer[start:end]
    return part if isinstance(part, array) else array(typecode, part.tolist() if hasattr(part, "tolist") else part)
