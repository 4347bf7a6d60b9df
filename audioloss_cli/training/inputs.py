"""Findings of the first batches as alerts, each code once: the policy then serves both."""

import math
import time
from collections.abc import Iterable

from audioloss_cli.records import Alert, Finding

#: Name of the series that such alerts belong to.
INPUTS = "inputs"


class FirstLooks:
    """How many batches are still to be looked at, and what was said already."""

    def __init__(self, batches: int) -> None:
        self.left = batches
        self.told: set[str] = set()

    def alerts(self, findings: Iterable[Finding], step: int) -> list[tuple[str, Alert]]:
        """One for each code that was not told before."""
        new = [finding for finding in findings if finding.code not in self.told]
        self.told.update(finding.code for finding in new)
        return [(INPUTS, _alert(finding, step)) for finding in new]


def _alert(finding: Finding, step: int) -> Alert:
    return Alert(
        type=INPUTS,
        severity=finding.severity,
        code=finding.code,
        step=step,
        value=math.nan,
        message=finding.message,
        edge="fired",
        incident=f"{INPUTS}:{finding.code}@{step}",
        wall_time=time.time(),
        advice=finding.advice,
    )
