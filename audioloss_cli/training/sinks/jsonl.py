"""``alerts.jsonl``: one line an alert and one an action, appended as they happen."""

import json
import math
from pathlib import Path
from typing import Any

from audioloss_cli.model import Alert
from audioloss_cli.training.response.action_record import ActionRecord

FILE = "alerts.jsonl"


class Sink:
    """Opened for each line: a run that is killed loses none."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE

    def alert(self, series: str, alert: Alert, ranks: str) -> None:
        """The fields of the alert, the series, and the value under ``audio_loss``, where a scan finds it."""
        record = {**alert, "severity": str(alert.severity), "audio_loss": alert.value, "series": series}
        self._write({"event": "alert", **record, **({"ranks": ranks} if ranks else {})})

    def action(self, taken: ActionRecord) -> None:
        """What was done and when."""
        self._write({"event": "action", **taken.to_state()})

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, record: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        plain = {key: _plain(value) for key, value in record.items()}
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(plain, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """JSON has no NaN and no Infinity: they are written as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
