"""Which column of a JSON log holds the step."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from audioloss_cli.model.series import StepSource
from audioloss_cli.readers._rows.row import Row

#: Names of the step, the most trusted first; compared without regard to capitals.
STEP_KEYS = (
    "step",
    "global_step",
    "iteration",
    "iter",
    "_step",
    "steps",
    "current_steps",
    "train_step",
    "train/step",
    "train/global_step",
    "trainer/global_step",
    "global_step/max_steps",
    "num_updates",
)
EPOCH_KEY = "epoch"
# A key that one odd row in a hundred has (a header, a summary) is not the step of the log; and one damaged row is no
# reason to distrust the step of all others.
_LEAST_SHARE, _LEAST_WHOLE = 0.1, 0.9


class StepColumn(NamedTuple):
    """The key that holds the step, or None for the line number, and what to call it in the report."""

    key: str | None
    source: StepSource

    def step(self, row: Row, before: int) -> int:
        """The step of a row; a row that has none happened at the step of the row ``before``.

        Raises:
            ValueError: it is no whole number, or does not fit in int64.
        """
        if self.key is None:
            return row.line
        value = next((number for key, number in row.numbers if key == self.key), math.nan)
        if math.isnan(value):
            return before
        if not -(2.0**63) <= value < 2.0**63:
            raise ValueError(f"{self.key} {value:g} does not fit in 64 bits")
        if self.source == "step" and not value.is_integer():
            raise ValueError(f"{self.key} {value:g} is not a whole number")
        return math.floor(value)


def choose_step(first: Sequence[Row]) -> StepColumn:
    """Judge by the first rows: a step key, else an epoch, else the line number.

    Only whole numbers are steps: a "step" of 0.53 is a duration. Of several step keys the first that never goes back
    counts, for one of them may start anew in each epoch; if all go back, the first.
    """
    columns: dict[str, list[float]] = {}
    for row in first:
        for key, number in row.numbers:
            columns.setdefault(key, []).append(number)
    whole = {key: column for key, column in columns.items() if _is_whole(column, len(first) * _LEAST_SHARE)}
    by_name = {key.lower(): key for key in reversed(whole)}
    steps = [by_name[name] for name in STEP_KEYS if name in by_name]
    steady = [key for key in steps if all(before <= after for before, after in pairwise(whole[key]))]
    if steps:
        return StepColumn((steady or steps)[0], "step")
    return StepColumn(by_name[EPOCH_KEY], "epoch") if EPOCH_KEY in by_name else StepColumn(None, "line")


def _is_whole(column: Iterable[float], least: float) -> bool:
    numbers = list(column)
    whole = sum(math.isinf(number) or number.is_integer() for number in numbers)
    return len(numbers) > least and whole >= _LEAST_WHOLE * len(numbers)
