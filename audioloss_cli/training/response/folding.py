"""One fault is one alert: what another series says of a fault that was told is entered there, and not said again.

A batch whose labels are all masked makes the audio loss and that of every codebook NaN; one alert with one examination
tells of it. The incidents of all series stay in their monitors.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from audioloss_cli.model import Alert, Severity
from audioloss_cli.training.losses.monitors import AUDIO, LOGGED, Found

_OVER = ("recovered", "reminder")
_NO_NUMBER = frozenset({"non-finite-loss", "zero-loss", "masked-nan", "missing-loss"})
# What a finding about a batch or a gradient explains of the losses, and for how many steps after it.
_EXPLAINS = {
    "no-audio-gradient": (frozenset({"total-mismatch"}), math.inf),
    "all-masked": (_NO_NUMBER, 2),
    "low-valid-fraction": (_NO_NUMBER, 2),
}


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
