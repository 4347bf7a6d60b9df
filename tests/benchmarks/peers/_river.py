"""What the drift detectors of river share."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm

LEAST = 1e-8


def changes(detector: Any, loss: Series) -> Iterator[Alarm]:
    """The steps at which it reports a drift of the logarithm of the loss."""
    values = np.asarray(loss.values, dtype=np.float64)
    finite = np.isfinite(values)
    logs = np.log(np.maximum(values[finite], LEAST))
    for step, log in zip(np.asarray(loss.steps)[finite].tolist(), logs.tolist(), strict=True):
        detector.update(log)
        if detector.drift_detected:
            yield Alarm(step, loss.tag)
