"""AudioLossMonitor: one state machine with two doors, ``update`` for a live loop and ``replay`` for a log."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from audioloss_cli.model import MISSING, Alert, Incident, Limits, Point, RecoveryAttempt, Series, SettingError
from audioloss_cli.model.axis import STEPS, TimeAxis
from audioloss_cli.model.point import NOTHING
from audioloss_cli.model.rule import KINDS, Kind
from audioloss_cli.monitor.machine import Machine
from audioloss_cli.monitor.points import point_of
from audioloss_cli.monitor.ruleset import Choice
from audioloss_cli.monitor.scalars import INT64, as_beside, as_loss, as_step
from audioloss_cli.naming.chance import ChanceTable

_STATE_VERSION = 3


class AudioLossMonitor:
    """Watches one loss series and says, once, when it goes wrong and when it comes back.

    ``update`` point by point and ``replay`` in chunks of any size lead to the same alerts and the same incidents. A
    step that goes back is a restart: what fires is closed as ``restarted``. A training that was resumed is held against
    what came before at the same steps; one that begins anew is watched afresh.

    Args:
        window_size: window in training steps, whatever the logging cadence.
        threshold: a loss strictly below it is a warning (nats, mean over codebooks).
        critical_threshold: a loss strictly below it is critical.
        scale: the factor by which the logged loss is larger than the mean over codebooks: 8 for a sum over 8 of them.
            Thresholds are multiplied by it; values are reported as logged.
        name: put in front of incident ids, to tell the series of a report apart.
        adaptive: whether rules that compare the loss with its own past take part beside the fixed thresholds, and the
            kind of the series is guessed.
        kind: ``ce`` for a cross entropy, to which every rule applies; ``small`` for a loss that is small by nature, to
            which the thresholds do not; ``signed`` for one that may be negative; ``rl`` for a policy loss, which may be
            anything finite; ``open`` for one of which nobody knows: below the thresholds it is a warning. None, and
            ``open``, guess from the first value, take the guess back in doubt, and None takes everything for ``ce`` if
            not ``adaptive``.
        kind_reason: why the kind was declared, for the report.
        select: codes of the only rules that take part; all if None.
        ignore: codes of rules that do not.
        axis: what a step is; plain updates of the weights unless said otherwise. Windows and the patience of rules are
            counted in updates.
        options: rule code -> option -> number, such as ``{"log-drop": {"ratio": 8}}``.
        vocabularies: numbers of codes that a prediction chooses among, where they are known; else the usual ones.
        codebooks: over how many codebooks the loss may be a sum; 0 for not known.

    Attributes:
        limits: the limits in force, after ``scale``.

    Raises:
        ValueError: limits, a scale, a kind, a code or an option that make no sense; see ``Limits``.
    """

    def __init__(
        self,
        window_size: int = 100,
        threshold: float = 0.01,
        critical_threshold: float = 0.005,
        *,
        scale: float = 1.0,
        name: str = "",
        adaptive: bool = True,
        kind: Kind | None = None,
        kind_reason: str = "",
        select: Iterable[str] | None = None,
        ignore: Iterable[str] = (),
        options: Mapping[str, Mapping[str, float]] | None = None,
        axis: TimeAxis = STEPS,
        vocabularies: Iterable[int] = (),
        codebooks: int = 0,
    ) -> None:
        self.limits = Limits(window_size, threshold, critical_threshold).scaled(scale)
        if kind not in (None, *KINDS):
            raise SettingError("kind", f"must be one of {', '.join(KINDS)}, not {kind!r}")
        choice = Choice(adaptive, _codes(select), _codes(ignore) or (), options or {})
        known = kind or (None if adaptive else "ce")
        chances = ChanceTable(tuple(vocabularies), codebooks)
        self._machine = Machine(self.limits, f"{name}:" if name else "", choice, known, kind_reason, chances, axis)

    # The two doors.

    def update(
        self, loss: Any, step: int, wall_time: float | None = None, beside: Mapping[str, Any] | None = None
    ) -> list[Alert]:
        """Take in one point; return the alerts that it raises, most often none.

        Args:
            loss: a float, an int, a numpy scalar or a 0-d torch tensor; None for a value that is missing.
            step: of the whole training; one lower than the last is a restart, after which what came before counts no
                more. (A scan, which has all of a log before it, counts on the steps that begin anew in each epoch.)
            wall_time: Unix seconds; now, if None.
            beside: other series of the run at this step, for the rules that compare them: ``grad_norm``,
                ``learning_rate``, ``epoch``, ``total`` and ``text`` loss, ``codebook/0``, ``codebook/1``, ... losses of
                all codebooks, this one among them, and ``codebook``, the number of this one. None is a value that was
                not logged.

        Raises:
            TypeError: the loss is not one number, or the step not a whole one.
            ValueError: the step does not fit in 64 bits.
        """
        # In a training loop no code is in a cache: a call costs more than to ask before whether it has anything to do.
        if type(loss) is not float:
            loss = as_loss(loss)
        if type(step) is not int or step not in INT64:
            step = as_step(step)
        seconds = time.time() if wall_time is None else float(wall_time)
        return self._machine.advance(point_of((step, loss, seconds, as_beside(beside) if beside else NOTHING)))

    def replay(
        self, series: Series, beside: Mapping[str, Sequence[float]] | None = None, *, arrays: bool = False
    ) -> list[Alert]:
        """Take in a chunk of a series; return the alerts that its points raise, in order.

        Args:
            series: the buffers may be ``array.array`` or numpy arrays (int64 steps, float64 values and wall times).
            beside: other series of the run at the same points, ``MISSING`` where they have none; see ``update``.
            arrays: importing numpy is worth it, however short this chunk is; the alerts are the same either way.

        Raises:
            ValueError: what stands beside the series is not as long as it is.
        """
        columns = beside or {}
        for name, column in columns.items():
            if len(column) != len(series):
                raise ValueError(f"{name!r} has {len(column)} values beside {len(series)} points of {series.tag!r}")
        return self._machine.replay(series, columns, arrays=arrays)

    def absent(self, step: int, wall_time: float | None = None) -> list[Alert]:
        """Take note that other series of the run were logged at a step, and this one was not.

        It is no point of the series. Return the alerts that it raises: once the loss was logged again and again, and
        then is not any more.

        Raises:
            TypeError: the step is not a whole number.
            ValueError: the step does not fit in 64 bits.
        """
        seconds = time.time() if wall_time is None else float(wall_time)
        return self._machine.absent(Point(as_step(step), MISSING, seconds))

    def restart(self) -> None:
        """The training restarted here: end what fires as unresolved; the next step says whether it was resumed."""
        self._machine.restart()

    def finish(self) -> list[Incident]:
        """The run ended: what still fires is unresolved (``run_ended``). Return every incident."""
        self._machine.end("run_ended")
        return self.incidents

    # What it knows.

    @property
    def kind(self) -> Kind:
        """Kind of the series, as declared or as guessed so far."""
        return self._machine.history.kind

    @property
    def kind_reason(self) -> str:
        """Why it is not taken for a cross entropy; empty if it is."""
        return self._machine.history.guess.reason

    @property
    def reference(self) -> float | None:
        """What is usual: the level of the last 1000 steps, trouble left out; None before that is known, or below 0."""
        return self._machine.history.reference

    @property
    def loss_history(self) -> list[float]:
        """The losses of the last window, as logged, oldest first: at most ``window_size`` within as many steps."""
        return [point.value for point in self._machine.history.window.points()]

    @property
    def incidents(self) -> list[Incident]:
        """Every incident that fired, by first step; those whose ``resolution`` is None are open."""
        groups = self._machine.groups
        fired = [item for group in groups for item in group.closed]
        fired += [group.open for group in groups if group.open is not None and group.open.state != "pending"]
        return sorted(fired, key=lambda incident: (incident.segment, incident.first_step, incident.group))

    @property
    def recovered_incidents(self) -> list[Incident]:
        """Incidents whose loss came back; ``duration_steps`` says after how long."""
        return [incident for incident in self.incidents if incident.resolution == "recovered"]

    @property
    def recovery_attempts(self) -> list[RecoveryAttempt]:
        """Every attempt that was recorded, with its outcome so far."""
        return list(self._machine.recovery.attempts)

    @property
    def segment_starts(self) -> list[int]:
        """Index of the first point of each segment, counted over all points seen; the first is 0."""
        return list(self._machine.segment_starts)

    def record_recovery_attempt(self, step: int, action: str) -> RecoveryAttempt:
        """Note a corrective action; whether the loss comes back within a window is filled in as points arrive.

        Raises:
            TypeError: the step is not a whole number.
        """
        return self._machine.record_attempt(as_step(step), action)

    def diagnostics(self) -> dict[str, Any]:
        """What the monitor sees right now.

        Returns:
            A dict: ``points`` (all that were seen), ``last_step`` and the limits; over the window ``history_size``,
            ``current``, ``min``, ``max``, ``mean``, ``median`` (of the finite values, None if there is none),
            ``not_finite``, ``below_threshold``, ``below_critical_threshold``; ``open_incidents``, ``closed_incidents``
            and ``recovery_attempts`` as lists of dicts.
        """
        limits, incidents = self.limits, self.incidents
        return {
            "points": self._machine.points,
            "last_step": self._machine.last_step,
            "window_size": limits.window_size,
            "threshold": limits.threshold,
            "critical_threshold": limits.critical_threshold,
            "kind": self.kind,
            "reference": self.reference,
            **self._machine.history.window.statistics(limits.threshold, limits.critical_threshold),
            "open_incidents": [asdict(incident) for incident in incidents if incident.resolution is None],
            "closed_incidents": [asdict(incident) for incident in incidents if incident.resolution is not None],
            "recovery_attempts": [asdict(attempt) for attempt in self.recovery_attempts],
        }

    # Saving and restoring.

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs to go on in mid-incident, as plain built-in types.

        The limits are not part of it: they belong to the constructor, so that a resumed run may change them.
        """
        return {"version": _STATE_VERSION, **self._machine.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where ``state_dict`` was taken; a group of rules that the state does not know starts afresh.

        Raises:
            ValueError: the state comes from another version of the format.
        """
        if state.get("version") != _STATE_VERSION:
            raise ValueError(f"monitor state has version {state.get('version')!r}, this release reads {_STATE_VERSION}")
        self._machine.load_state_dict(state)


def _codes(codes: Iterable[str] | None) -> tuple[str, ...] | None:
    """A single string is no list of codes, though Python can walk through it; the check that follows says so."""
    return codes if codes is None or isinstance(codes, str) else tuple(codes)  # type: ignore[return-value]
