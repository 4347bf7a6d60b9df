"""The monitors of a run: one a series, each with what stands beside it.

Each codebook has a monitor of its own; all of them at every step would cost more than everything else, so that they are
given one step of 25, and each at which a loss is low or no number.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Any

from audioloss_cli.model import Alert, Limits
from audioloss_cli.model.point import OWN_CODEBOOK
from audioloss_cli.monitor import AudioLossMonitor
from audioloss_cli.training.losses.trained_loss import Line, LoggedApart
from audioloss_cli.training.transport.scalar_layout import (
    ACROSS,
    AT_OFFSETS,
    AUDIO_GRAD_NORM,
    BOUND,
    CODEBOOKS,
    LABEL_SHARE,
    MEASURED,
    PART,
)

#: Name of the series that is read at each step, and of the loss that the run logs for itself.
AUDIO, LOGGED = "audio_loss", "logged"
BESIDE = ("total", "text", "grad_norm")
# What does not stand beside a codebook.
_APART = (
    *("audio", "logged", "trained", "gone", PART, BOUND, *AT_OFFSETS, *ACROSS),
    *(LABEL_SHARE, AUDIO_GRAD_NORM, *MEASURED),
)
_KEPT = 1000  # points that wait for a log file to be opened, and steps at which the run logged

Found = list[tuple[str, Alert]]


class Monitors:
    """Points in, alerts out.

    Attributes:
        monitors: by name of the series: ``audio_loss``, ``logged``, ``codebook/0``, ...
        points: step, value and Unix seconds of the audio loss, the latest ones.
        last_step: the last one whose losses were taken in.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)
        self.monitors: dict[str, AudioLossMonitor] = {AUDIO: AudioLossMonitor(**self._settings)}
        self.points: deque[tuple[int, float, float]] = deque(maxlen=_KEPT)
        self._totals: deque[tuple[int, float]] = deque(maxlen=_KEPT)
        self._logged: deque[int] = deque(maxlen=_KEPT)
        self._apart, self.last_step = LoggedApart(), 0
        self._main = self.monitors[AUDIO]
        limits: Limits = self._main.limits
        self._seen, self._codebook_steps = False, CodebookSteps(limits.threshold)

    def take_in(self, step: int, values: Mapping[str, float]) -> Found:
        """The scalars of one step; each alert with the name of its series."""
        self.last_step, now = step, time()
        audio, logged = values.get("audio"), values.get("logged")
        if audio is None and not math.isfinite(values.get("total", 0.0)):
            audio = values["total"]  # of a sum that is not finite no part is known
        # The rules that compare codebooks are for the monitors of the codebooks.
        beside = {name: values[name] for name in BESIDE if name in values} if len(values) > 1 else None
        found: Found = []
        # No loss at all, once there was an audio loss, is a value that is missing; so is one that is gone for good.
        if audio is not None or (self._seen and ("gone" in values or values.keys().isdisjoint(("total", "text")))):
            alerts = self._main.update(audio, step, now, beside)
            if audio is not None:
                self._seen = True
                self.points.append((step, audio, now))
            if alerts:
                found += [(AUDIO, alert) for alert in alerts]
        if "total" in values:
            self._totals.append((step, values["total"]))
        if logged is not None:
            found += self.logged(logged, step, {})
        if "trained" in values:  # of the step before, with which it could not travel
            found += self.trained(Line(step - 1, values["trained"], now, {}))
        # Not all of them need be there.
        if len(values) > 1 and not values.keys().isdisjoint(CODEBOOKS) and self._codebook_steps.takes(step, values):
            found += self._codebooks(step, now, values)
        return found

    def logged(self, value: float, step: int, beside: Mapping[str, Any]) -> Found:
        """The loss that the run logs."""
        self._logged.append(step)
        return [(LOGGED, alert) for alert in self.monitor(LOGGED).update(value, step, None, beside)]

    def logs_from(self, step: int, lines: Iterable[Line]) -> None:
        """A training begins, or goes on after this step with what it has logged so far."""
        self.last_step = step
        self._apart.begin(step, lines)

    def trained(self, line: Line) -> Found:
        """The loss that is trained, as the run logs it; it is watched once it is another than the one that is read."""
        apart = self._apart
        read = [_between(rows, apart.since, line.step) for rows in (self.points, self._totals)]
        if not apart.is_other(line, *read):
            return []
        before, steps = apart.replay(self.monitor(LOGGED))
        self._logged.extend(steps)
        return [(LOGGED, alert) for alert in before] + self.logged(line.value, line.step, line.beside)

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
        """Plain built-in types."""
        states = {name: monitor.state_dict() for name, monitor in self.monitors.items()}
        known = {"seen": self._seen, "codebooks_fed": self._codebook_steps.fed}
        return {"monitors": states, **known, "apart": self._apart.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self._seen, self._codebook_steps.fed = bool(state["seen"]), state.get("codebooks_fed")
        for name, each in state["monitors"].items():
            self.monitor(name).load_state_dict(each)
        if "apart" in state:
            self._apart.load_state_dict(state["apart"])


def _between(rows: Sequence[tuple[Any, ...]], since: int, to: int) -> list[float]:
    """The losses of the steps after ``since`` up to ``to``, the latest first.

    Each row begins with its step. Where that goes up, they are those of an earlier attempt.
    """
    found, before = list[float](), math.inf
    for row in reversed(rows):
        if not since < row[0] < before:
            break
        before = row[0]
        if before <= to:
            found.append(row[1])
    return found


_FEED_STEPS = 25


class CodebookSteps:
    """Which steps their monitors are given.

    Args:
        threshold: of a warning.

    Attributes:
        fed: the last stretch of 25 steps of which one was given; None at first.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self.fed: int | None = None

    def takes(self, step: int, values: Mapping[str, float]) -> bool:
        """The first step of 25, whatever steps there are, and all at which a loss is low or no number."""
        stretch, least = step // _FEED_STEPS, self._threshold
        if stretch == self.fed:
            for name in CODEBOOKS:
                if not least <= values.get(name, least) < math.inf:
                    break
            else:
                return False
        self.fed = stretch
        return True
