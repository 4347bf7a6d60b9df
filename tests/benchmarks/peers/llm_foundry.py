"""LLM Foundry's KillLossSpike: five losses in a row at twice the mean of the last 100, or half of them above 10.

Written after the description in ``llmfoundry/callbacks/kill_loss_spike_callback.py`` of mosaicml/llm-foundry, with its
defaults (patience 4, multiplier 2, window 100, cap 10, the cap from the 200th batch on). The callback sees every batch;
here it sees what was logged. It compares with "at least", so that a window of zeros makes a further zero an outlier.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm

REQUIRES = ""
PATIENCE, MULTIPLIER, WINDOW, CAP = 4, 2.0, 100, 10.0


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """Spikes that last, and losses that stay high."""
    values = np.asarray(loss.values, dtype=np.float64)
    if len(values) <= WINDOW:
        return
    windows, now = sliding_window_view(values, WINDOW)[:-1], values[WINDOW:]
    with np.errstate(invalid="ignore", over="ignore"):
        outlier = now >= MULTIPLIER * windows.mean(axis=1)
    high = (windows > CAP).sum(axis=1) >= WINDOW / 2
    high[:WINDOW] = False
    in_a_row = 0
    for index, step in enumerate(loss.steps[WINDOW:]):
        in_a_row = in_a_row + 1 if outlier[index] else 0
        if in_a_row > PATIENCE or high[index]:
            yield Alarm(int(step), loss.tag)
