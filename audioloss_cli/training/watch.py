"""The monitors of a run: one a series, each with what stands beside it."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, cast

from audioloss_cli.model import Alert, Limits
from audioloss_cli.model.point import OWN_CODEBOOK, TOTAL
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.training.calm import Calm, Short, has_names
from audioloss_cli.training.codebook_steps import CodebookSteps
from audioloss_cli.training.columns import audio_of, codebooks_of, losses_between
from audioloss_cli.training.logged_apart import Line, LoggedApart
from audioloss_cli.training.slots import CODEBOOKS, Arrived

#: Name of the series that is read at each step, and of the loss that the run logs for itself.
AUDIO, LOGGED = "audio_loss", "logged"
BESIDE = ("total", "text", "grad_norm")
_APART = ("audio", "logged", "trained", "gone")  # what does not stand beside a codebook
_KEPT = 1000  # points that wait for a log file to be opened, and steps at which the run logged

Found = list[tuple[str, Alert]]


class Watch:
    """Points in, alerts out.

    Attributes:
        monitors: by name of the series: ``audio_loss``, ``logged``, ``codebook/0``, ...
        points: step, value and Unix seconds of the audio loss, the latest ones.
        calm: what waits to be handed to the monitors.
    """

    def __init__(self, settings: Mapping[str, Any], at_once: int = 1) -> None:
        self._settings = dict(settings)
        self.monitors: dict[str, AudioLossMonitor] = {AUDIO: AudioLossMonitor(**self._settings)}
        self.points: deque[tuple[int, float, float]] = deque(maxlen=_KEPT)
        self._totals: deque[tuple[int, float]] = deque(maxlen=_KEPT)
        self._logged: deque[int] = deque(maxlen=_KEPT)
        self._apart, self._drained = LoggedApart(), 0
        self._main = self.monitors[AUDIO]
        limits: Limits = self._main.limits
        self._seen, self._codebook_steps = False, CodebookSteps(limits.threshold)
        self.calm = Calm(limits, at_once)

    def take_in(self, arrived: Arrived, *, alone: bool = True) -> Found:
        """The scalars of one step; each alert with the name of its series. ``alone``: see ``Calm.put``."""
        return [] if self.calm.put(arrived.step, arrived.values, alone=alone) else self.drain()

    def drain(self) -> Found:
        """Hand what waits to the monitors."""
        found: Found = []
        if not self.calm.waiting:
            return found
        waiting = self.calm.hand_over()
        self._drained = waiting[-1][0]
        for named, rows in groupby(waiting, has_names):
            if named:
                for step, now, _, values in rows:
                    found += self._update(step, now, cast("Mapping[str, float]", values))
            else:
                found += self._replay(cast("list[Short]", list(rows)))
        self.calm.expect(self._main.reference)
        return found

    def _replay(self, rows: list[Short]) -> Found:
        """Steps of the short way, many at once; the alerts come series by series."""
        self._seen = True
        series, beside = audio_of(rows)
        self.points.extend(zip(series.steps, series.values, series.wall_times, strict=True))
        if TOTAL in beside:
            self._totals.extend((row[0], row[3][1]) for row in rows if row[3] and row[3][1] is not None)
        found = [(AUDIO, alert) for alert in self._main.replay(series, beside, arrays=True)]
        takes = self._codebook_steps.takes
        fed = [row for row in rows if row[3] and row[3][0] and takes(row[0], row[3][0])]
        for name, (series, beside) in codebooks_of(fed):
            found += [(name, alert) for alert in self.monitor(name).replay(series, beside, arrays=True)]
        return found

    def _update(self, step: int, now: float, values: Mapping[str, float]) -> Found:
        audio, logged = values.get("audio"), values.get("logged")
        if audio is None and not math.isfinite(values.get("total", 0.0)):
            audio = values["total"]  # of a sum that is not finite no part is known
        # The rules that compare codebooks are for the monitors of the codebooks.
        beside = {name: values[name] for name in BESIDE if name in values} if len(values) > 1 else None
        found: Found = []
        # No loss at all, once there was an audio loss, is a value that is missing; so is one that is gone for good.
        missing = self._seen and ("gone" in values or values.keys().isdisjoint(("total", "text")))
        if audio is not None or missing:
            alerts = self._main.update(audio, step, now, beside)
            if audio is not None:
                self._seen = True
                self.points.append((step, audio, now))
            found += [(AUDIO, alert) for alert in alerts]
        if "total" in values:
            self._totals.append((step, values["total"]))
        if logged is not None:
            found += self.logged(logged, step, {})
        if "trained" in values:  # of the step before, with which it could not travel
            found += self.trained(Line(step - 1, values["trained"], now, {}))
        if not values.keys().isdisjoint(CODEBOOKS):  # not all of them need be there
            found += self._codebooks(step, now, values)
        return found

    def logged(self, value: float, step: int, beside: Mapping[str, Any]) -> Found:
        """The loss that the run logs."""
        self._logged.append(step)
        return [(LOGGED, alert) for alert in self.monitor(LOGGED).update(value, step, None, beside)]

    def logs_from(self, step: int, lines: Iterable[Line]) -> None:
        """A training begins, or goes on after this step with what it has logged so far."""
        self._drained = step
        self._apart.begin(step, lines)

    def trained(self, line: Line) -> Found:
        """The loss that is trained, as the run logs it; it is watched once it is another than the one that is read."""
        apart, read = self._apart, (self.calm.waiting, self.points, self._totals)
        if not apart.is_other(line, *losses_between(apart.since, line.step, *read)):
            return []
        found = self.drain()
        before, steps = apart.replay(self.monitor(LOGGED))
        self._logged.extend(steps)
        return found + [(LOGGED, alert) for alert in before] + self.logged(line.value, line.step, line.beside)

    @property
    def last_step(self) -> int:
        """The last one whose losses have arrived."""
        return self.calm.waiting[-1][0] if self.calm.waiting else self._drained

    def monitor(self, name: str) -> AudioLossMonitor:
        """The monitor of a series, made when it is first needed."""
        if name not in self.monitors:
            self.monitors[name] = AudioLossMonitor(**{**self._settings, "name": name})
        return self.monitors[name]

    def before(self, name: str, step: int) -> int:
        """The last step before this one at which a series had a loss; the number before it, if none is known.

        A codebook has one wherever the audio loss has, though not each is shown to its monitor.
        """
        steps = self._logged if name == LOGGED else [each for each, _, _ in self.points]
        return max((each for each in steps if each < step), default=step - 1)

    def _codebooks(self, step: int, now: float, values: Mapping[str, float]) -> Found:
        if not self._codebook_steps.takes(step, [values[name] for name in CODEBOOKS if name in values]):
            return []
        others = {name: value for name, value in values.items() if name not in _APART}
        alerts: Found = []
        for number, name in enumerate(CODEBOOKS):
            value = values.get(name)
            if value is None:
                continue
            beside = {**others, OWN_CODEBOOK: float(number)}
            alerts += [(name, alert) for alert in self.monitor(name).update(value, step, now, beside)]
        return alerts

    def state_dict(self) -> dict[str, Any]:
        """Plain built-in types; what waits is kept as it is, for to hand it over might call for an action."""
        states = {name: monitor.state_dict() for name, monitor in self.monitors.items()}
        known = {"seen": self._seen, "codebooks_fed": self._codebook_steps.fed}
        return {"monitors": states, **known, "waiting": self.calm.state_dict(), "apart": self._apart.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self._seen, self._codebook_steps.fed = bool(state["seen"]), state.get("codebooks_fed")
        for name, each in state["monitors"].items():
            self.monitor(name).load_state_dict(each)
        self.calm.load_state_dict(state.get("waiting", ()))  # states of before have none
        if "apart" in state:
            self._apart.load_state_dict(state["apart"])
