"""Which column of a JSON log holds the step."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from audioloss_cli.records.series import StepSource

STEP_KEYS = (
    "step",
    "global_step",
    "iteration",
    "iter",
    "_step",
    "steps",
    "current_steps",
    "train_step",
    "train/global_step",
    "trainer/global_step",
    "num_updates",
)
EPOCH_KEY = "epoch"
# A key that one odd row in a hundred has (a header, a summary) is not the step of the log.
_LEAST_SHARE = 0.1


class StepColumn(NamedTuple):
    """The key that holds the step, or None for the line number, and what to call it in the report."""

    key: str | None
    source: StepSource

    def step(self, values: Mapping[str, float], line: int, before: int) -> int:
        """The step of a row; a row that has none happened at the step of the row ``before``.

        Raises:
            OverflowError: it does not fit in int64.
        """
        if self.key is None:
            return line
        value = values.get(self.key, math.nan)
        if not math.isfinite(value):
            return before
        if not -(2.0**63) <= value < 2.0**63:
            raise OverflowError(f"{self.key} {value:g} does not fit in 64 bits")
        return math.floor(value)


def choose_step(first: Sequence[Mapping[str, float]]) -> StepColumn:
    """Judge by the numbers of the first rows: a step key, else an epoch that is always whole, else the line number."""
    least = len(first) * _LEAST_SHARE
    for key in STEP_KEYS:
        if sum(key in values for values in first) > least:
            return StepColumn(key, "step")
    epochs = [values[EPOCH_KEY] for values in first if EPOCH_KEY in values]
    if len(epochs) > least and all(math.isfinite(epoch) and epoch.is_integer() for epoch in epochs):
        return StepColumn(EPOCH_KEY, "epoch")
    return StepColumn(None, "line")
