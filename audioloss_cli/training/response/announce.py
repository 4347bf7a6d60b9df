"""Where alerts go beside the policy's actions: every sink that is open, and Python's logging."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from audioloss_cli.model import Alert, Severity
from audioloss_cli.training.losses.monitors import Monitors
from audioloss_cli.training.response.action_record import ActionRecord
from audioloss_cli.training.response.alert_context import logger
from audioloss_cli.training.sinks import jsonl as jsonl_sink
from audioloss_cli.training.sinks import tensorboard as tensorboard_sink

_LEVELS = {"critical": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO}


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
