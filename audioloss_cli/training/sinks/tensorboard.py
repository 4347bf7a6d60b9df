"""The TensorBoard of the run: ``alerts/audio_loss``, ``alerts/severity`` and the alerts as text.

An event file of its own in the log directory of the run belongs to that run, for TensorBoard as for a scan. To write a
scalar at each step would cost more than all the watching: the points that led to an alert are written with it.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.model import Alert, Severity
from audioloss_cli.training.losses.monitors import AUDIO, Monitors
from audioloss_cli.training.response.alert_context import ActionRecord

# No other tag of an alert may read as "audio loss": a scan would take it for one.
VALUE, SEVERITY, TEXT, ACTION = "alerts/audio_loss", "alerts/severity", "alerts/message", "alerts/action"


class Sink:
    """Opened at the first alert, or at the first figures.

    Args:
        target: a ``SummaryWriter`` of torch or tensorboardX, or a log directory.
        watch: whose points are written.
        figures: whether figures are written here; a framework may log them in its own way.

    Raises:
        ImportError: at the first alert, if a directory was given and the package tensorboard is not installed.
    """

    def __init__(self, target: Any, watch: Monitors, *, figures: bool = True) -> None:
        self._target, self._watch, self._figures = target, watch, figures
        self._writer: Any = None
        self._own = isinstance(target, (str, Path))
        self._last_step: int | None = None
        self._alerted = False

    def alert(self, series: str, alert: Alert, ranks: str) -> None:
        """The points so far, the severity (0 once it is over), and the message; no file is opened for a note alone."""
        if self._writer is None and alert.severity is Severity.INFO and alert.edge != "recovered":
            return
        writer = self._open()
        self._alerted = True
        self._write_points(writer)
        rank = 0 if alert.edge == "recovered" else Severity(alert.severity).rank
        writer.add_scalar(f"{SEVERITY}/{series}" if series != AUDIO else SEVERITY, rank, alert.step)
        text = f"**{alert.severity}** `{alert.code}` ({series}): {alert.message}" + (f" ({ranks})" if ranks else "")
        writer.add_text(TEXT, text, alert.step)
        writer.flush()

    def figures(self, step: int, figures: Mapping[str, float], loss: float | None) -> None:
        """As scalars, without the audio loss: the run logs its own."""
        for name, value in figures.items() if self._figures else ():
            self._open().add_scalar(name, value, step)

    def action(self, taken: ActionRecord) -> None:
        """As text."""
        self._open().add_text(ACTION, f"`{taken.action}`{'' if taken.done else ' failed'}: {taken.outcome}", taken.step)
        self._open().flush()

    def close(self) -> None:
        """What came after the last alert, if there was one; a writer of the run's own stays open."""
        if self._writer is None:
            return
        if self._alerted:
            self._write_points(self._writer)
        self._writer.flush()
        if self._own:
            self._writer.close()
            self._writer = None

    def _write_points(self, writer: Any) -> None:
        for step, value, wall_time in self._watch.points:
            if self._last_step is None or step > self._last_step:
                writer.add_scalar(VALUE, value, step, walltime=wall_time)
                self._last_step = step

    def _open(self) -> Any:
        if self._writer is None:
            self._writer = _writer(self._target) if self._own else self._target
        return self._writer


def _writer(directory: Any) -> Any:
    """That of torch, or of tensorboardX for want of the package tensorboard."""
    try:
        board: Any = importlib.import_module("torch.utils.tensorboard")
    except ImportError:
        board = importlib.import_module("tensorboardX")
    return board.SummaryWriter(str(directory), filename_suffix=".alerts")
