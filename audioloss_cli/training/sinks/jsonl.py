"""``alerts.jsonl``: one line an alert and one an action, appended as they happen; ``metrics.jsonl``: the figures."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.model import Alert
from audioloss_cli.training.response.alert_context import ActionRecord

FILE, FIGURES = "alerts.jsonl", "metrics.jsonl"


class Sink:
    """Opened for each line: a run that is killed loses none."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE

    def alert(self, series: str, alert: Alert, ranks: str) -> None:
        """The fields of the alert, the series, and the value under ``audio_loss``, where a scan finds it."""
        record = {**alert, "severity": str(alert.severity), "audio_loss": alert.value, "series": series}
        self._write({"event": "alert", **record, **({"ranks": ranks} if ranks else {})})

    def figures(self, step: int, figures: Mapping[str, float], loss: float | None) -> None:
        """One line; with the mean audio loss since the line before, so that a scan of the file audits it."""
        self._write({"step": step, **({} if loss is None else {"audio_loss": loss}), **figures}, FIGURES)

    def action(self, taken: ActionRecord) -> None:
        """What was done and when."""
        self._write({"event": "action", **taken.to_state()})

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, record: dict[str, Any], file: str = FILE) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        plain = {key: _plain(value) for key, value in record.items()}
        with self.path.with_name(file).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(plain, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """JSON has no NaN and no Infinity: they are written as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
