"""losslint: its checks on one parsed log, findings of severity warning and error.

Its spike check looks at 12 points to either side; where 12 lie before the spike it is given credit as though it spoke
at once, else it speaks 12 points later. Its divergence check compares the first tenth of the log with the last, so it
speaks at the last step.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from audioloss_cli.model import Series, is_missing
from tests.benchmarks.detection.alarm import Alarm

REQUIRES = "losslint"
SIDE = 12  # points


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """One for each step that a finding names; the name of the check is the code."""
    from losslint import checks, parsing

    checks.MAX_EXAMPLES = len(loss)  # a finding names five steps and counts the rest; here each is wanted
    steps = [int(step) for step in loss.steps]
    columns = {"loss": loss} | {item.tag: item for item in beside if len(item) == len(loss)}
    log = parsing.RunLog(steps, {tag: _column(item) for tag, item in columns.items()}, Path("simulated"))
    for finding in checks.run_all_checks(log):
        if finding.severity != "info":
            yield from (Alarm(step, loss.tag, finding.check) for step in _spoken(finding, steps))


def _spoken(finding: Any, steps: Sequence[int]) -> list[int]:
    """The steps at which it could have said what it found."""
    found = finding.details.get("steps", steps[-1:])
    if finding.check != "loss_spike":
        return found
    early = {step: steps[min(index + SIDE, len(steps) - 1)] for index, step in enumerate(steps[:SIDE])}
    return [early.get(step, step) for step in found]


def _column(series: Series) -> list[float | None]:
    """A null is None, as losslint's own reader has it."""
    return [None if math.isnan(value) and is_missing(value) else float(value) for value in series.values]
