"""The rule of thumb: a loss below 0.01 is a warning, below 0.005 it is critical."""

from collections.abc import Iterator, Sequence

import numpy as np

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm

REQUIRES = ""
THRESHOLD, CRITICAL = 0.01, 0.005


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """One for each point below; a NaN is below nothing."""
    values = np.asarray(loss.values)
    for index in np.flatnonzero(values < THRESHOLD):
        code = "critical-loss" if values[index] < CRITICAL else "low-loss"
        yield Alarm(int(loss.steps[index]), loss.tag, code)
