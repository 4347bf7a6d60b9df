"""OLMo's spike score: a value more than 6 standard deviations above the mean of the 128 before it.

Written after the description in ``src/olmo_core/train/callbacks/stability_monitor.py`` of allenai/OLMo-core: nothing is
said before 128 values are there, nor where their standard deviation is below 1e-10, and values that were spikes stay in
the window. The callback sees every training step; here it sees what was logged, and the loss alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm
from tests.simulator.stage import Flags, Values

REQUIRES = ""
WINDOW, DEVIATIONS, LEAST_DEVIATION = 128, 6.0, 1e-10


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """As published: upwards."""
    excess, deviation = _excess(np.asarray(loss.values, dtype=np.float64))
    yield from _where(loss, excess > DEVIATIONS * deviation)


def mirrored(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """Upwards and downwards."""
    excess, deviation = _excess(np.asarray(loss.values, dtype=np.float64))
    yield from _where(loss, np.abs(excess) > DEVIATIONS * deviation)


def _excess(values: Values) -> tuple[Values, Values]:
    """Of each value with a full window before it, over the window's mean; and the window's standard deviation."""
    if len(values) <= WINDOW:
        return np.empty(0), np.empty(0)
    windows = sliding_window_view(values, WINDOW)[:-1]
    with np.errstate(invalid="ignore", over="ignore"):
        deviation = windows.std(axis=1)
        excess = values[WINDOW:] - windows.mean(axis=1)
    return excess, np.where(deviation < LEAST_DEVIATION, np.nan, deviation)


def _where(loss: Series, hits: Flags) -> Iterator[Alarm]:
    yield from (Alarm(int(loss.steps[index + WINDOW]), loss.tag) for index in np.flatnonzero(hits))
