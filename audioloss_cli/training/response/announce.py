"""Which alerts are said, and where they go beside the policy's actions: every sink that is open, and Python's logging.

One fault is one alert: what another series says of a fault that was told is entered there, and not said again. A batch
whose labels are all masked makes the audio loss and that of every codebook NaN; one alert with one examination tells of
it. The incidents of all series stay in their monitors.
"""

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from audioloss_cli.model import Alert, Severity
from audioloss_cli.training.losses.monitors import AUDIO, LOGGED, Found, Monitors
from audioloss_cli.training.response.alert_context import ActionRecord, logger
from audioloss_cli.training.sinks import jsonl as jsonl_sink
from audioloss_cli.training.sinks import tensorboard as tensorboard_sink

_OVER = ("recovered", "reminder")
_NO_NUMBER = frozenset({"non-finite-loss", "zero-loss", "masked-nan", "missing-loss"})
# What a finding about a batch or a gradient explains of the losses, and for how many steps after it.
_EXPLAINS = {
    "no-audio-gradient": (frozenset({"total-mismatch"}), math.inf),
    "all-masked": (_NO_NUMBER, 2),
    "low-valid-fraction": (_NO_NUMBER, 2),
}
_LEVELS = {"critical": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO}


class Told(NamedTuple):
    """What was said of an incident that is not over."""

    code: str
    step: int
    severity: Severity


class Folding:
    """Which alerts are said.

    Attributes:
        folded: incidents that another alert told of, as series and id.
    """

    def __init__(self) -> None:
        self.folded: set[tuple[str, str]] = set()
        self._told: dict[tuple[str, str], Told] = {}  # incidents that were said and are not over

    def said(self, found: Found) -> Found:
        """Those of the alerts that tell of a fault nobody told of, or a graver one; the audio loss speaks first."""
        return [each for each in sorted(found, key=_order) if self._is_said(*each)]

    def state_dict(self) -> dict[str, Any]:
        """As plain built-in types."""
        told = [[*key, each.code, each.step, str(each.severity)] for key, each in self._told.items()]
        return {"folded": sorted(map(list, self.folded)), "told": told}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state_dict`` was taken."""
        self.folded = {(series, incident) for series, incident in state["folded"]}
        self._told = {
            (series, incident): Told(code, step, Severity(severity))
            for series, incident, code, step, severity in state["told"]
        }

    def _is_said(self, series: str, alert: Alert) -> bool:
        key = (series, alert.incident)
        if alert.edge in _OVER:
            if alert.edge == "recovered":
                self._told.pop(key, None)
            folded = key in self.folded
            if folded and alert.edge == "recovered":
                self.folded.discard(key)
            return not folded
        if key not in self._told and self._is_covered(series, alert):
            self.folded.add(key)
            return False
        self.folded.discard(key)
        self._told[key] = Told(alert.code, alert.step, alert.severity)
        return True

    def _is_covered(self, series: str, alert: Alert) -> bool:
        follows = series != AUDIO and _is_loss(series)
        for (name, _), told in self._told.items():
            if told.severity.rank < alert.severity.rank:
                continue
            of_losses = name != series and _is_loss(name) and (follows or told.code == alert.code)
            if of_losses or _explains(told, alert):
                return True
        return False


def _explains(told: Told, alert: Alert) -> bool:
    codes, steps = _EXPLAINS.get(told.code, (frozenset[str](), 0))
    return alert.code in codes and 0 <= alert.step - told.step <= steps


def _is_loss(series: str) -> bool:
    return series in (AUDIO, LOGGED) or series.startswith("codebook/")


def _order(each: tuple[str, Alert]) -> int:
    """Findings of inputs, the audio loss, what is logged, codebooks; each in its order."""
    series = each[0]
    return 1 if series == AUDIO else 2 if series == LOGGED else 3 if series.startswith("codebook/") else 0


class Sink(Protocol):
    """A module of ``training/sinks`` has a class ``Sink``; nothing is opened before there is something to write."""

    def alert(self, series: str, alert: Alert, ranks: str) -> None:
        """One alert, reminders and recoveries too."""
        ...

    def action(self, taken: ActionRecord) -> None:
        """One action and its outcome."""
        ...

    def figures(self, step: int, figures: Mapping[str, float], loss: float | None) -> None:
        """What tells whether it learns, by name, at a step at which the run logs; and the mean audio loss."""
        ...

    def close(self) -> None:
        """Write out what is left."""
        ...


class Announcer:
    """Sends each alert to each sink; one that fails is named once and left out from then on."""

    def __init__(self, sinks: list[Sink]) -> None:
        self.sinks = sinks

    def alert(self, series: str, alert: Alert, ranks: str = "") -> None:
        """Tell the sinks; notes, reminders and recoveries, for which no action is taken, are logged here."""
        if alert.edge in ("recovered", "reminder") or alert.severity is Severity.INFO:
            level = logging.WARNING if alert.edge == "recovered" else _LEVELS[alert.severity]
            logger.log(level, "%s: %s", series, alert.message)
        self._each(lambda sink: sink.alert(series, alert, ranks))

    def action(self, taken: ActionRecord) -> None:
        """Tell the sinks."""
        self._each(lambda sink: sink.action(taken))

    def figures(self, step: int, figures: Mapping[str, float], loss: float | None) -> None:
        """Tell the sinks."""
        self._each(lambda sink: sink.figures(step, figures, loss))

    def close(self) -> None:
        """Write out what is left."""
        self._each(lambda sink: sink.close())

    def _each(self, tell: Callable[[Sink], None]) -> None:
        for sink in list(self.sinks):
            try:
                tell(sink)
            except Exception as error:  # noqa: BLE001  # a log that cannot be written must not end a training
                self.sinks.remove(sink)
                where = type(sink).__module__.rsplit(".", 1)[-1]
                logger.warning("alerts do not go to %s any more: %s", where, error)


def open_sinks(watch: Monitors, directory: Path, tensorboard: Any, *, jsonl: bool, figures: bool = True) -> list[Sink]:
    """The sinks of a run: TensorBoard where it has one, with the ``figures`` or without, and files of JSON lines."""
    sinks: list[Sink] = []
    if jsonl:
        sinks.append(jsonl_sink.Sink(directory))
    if tensorboard is not None:
        sinks.append(tensorboard_sink.Sink(tensorboard, watch, figures=figures))
    return sinks
