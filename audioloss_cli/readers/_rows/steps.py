"""Which column of a log of rows holds the step."""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from audioloss_cli.model.series import StepSource
from audioloss_cli.readers._rows.row import Row

#: Names of the step, the most trusted first; compared without regard to capitals and to what parts their words.
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
    "cur_step",
    "current_step",
    "cur_steps",
    "curr_step",
    "training_step",
    "train_steps",
    "global_steps",
    "global_iter",
    "global_iteration",
    "optimizer_step",
    "opt_step",
    "update_step",
    "update",
    "updates",
    "n_updates",
    "iterations",
    "iters",
    "iter_num",
    "cur_iter",
    "current_iter",
    "current_iteration",
    "n_iter",
    "step_num",
    "num_steps",
    "nsteps",
)
EPOCH_KEYS = ("epoch", "current_epoch", "cur_epoch", "epochs", "epoch_num")
# A key that one odd row in a hundred has (a header, a summary) is not the step of the log; and one damaged row is no
# reason to distrust the step of all others.
_LEAST_SHARE, _LEAST_WHOLE = 0.1, 0.9
_PARTS = re.compile(r"[\s_.-]")


def _plain(name: str) -> str:
    return _PARTS.sub("", name).lower()


_RANKS = {_plain(name): rank for rank, name in reversed(list(enumerate(STEP_KEYS)))}
_EPOCH_RANKS = {_plain(name): rank for rank, name in enumerate(EPOCH_KEYS)}
_NAMES = _RANKS.keys() | _EPOCH_RANKS.keys()


def is_time(name: str) -> bool:
    """Tell whether a column of this name may hold the step or the epoch."""
    return _plain(name) in _NAMES


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
    (within a launch) counts, for one of them may start anew in each epoch; if all go back, the first. A key of the
    whole name comes before one that has the name at its end, below other keys.
    """
    columns: dict[str, dict[str, list[float]]] = {}
    named = dict[str, bool]()
    for row in first:
        for key, number in row.numbers:
            if key not in named:
                named[key] = any(_plain(part) in _NAMES for part in (key, key.rpartition("/")[2]))
            if named[key]:
                columns.setdefault(key, {}).setdefault(row.run, []).append(number)
    whole = [key for key, runs in columns.items() if _is_whole(runs.values(), len(first) * _LEAST_SHARE)]
    steps = _named(whole, _RANKS)
    steady = [key for key in steps if all(map(_is_steady, columns[key].values()))]
    if steps:
        return StepColumn((steady or steps)[0], "step")
    epochs = _named(whole, _EPOCH_RANKS)
    return StepColumn(epochs[0], "epoch") if epochs else StepColumn(None, "line")


def _named(keys: Iterable[str], ranks: dict[str, int]) -> list[str]:
    """Those of the keys that have one of the names, the most trusted first."""
    found = list[tuple[int, int, str]]()
    for key in keys:
        depth, last = 0, key
        if _plain(key) not in ranks:
            depth, last = key.count("/"), key.rpartition("/")[2]
        if _plain(last) in ranks:
            found.append((depth, ranks[_plain(last)], key))
    return [key for *_, key in sorted(found, key=lambda one: one[:2])]


def _is_steady(column: Sequence[float]) -> bool:
    return all(before <= after for before, after in pairwise(column))


def _is_whole(columns: Iterable[Sequence[float]], least: float) -> bool:
    numbers = [number for column in columns for number in column]
    whole = sum(math.isinf(number) or number.is_integer() for number in numbers)
    return len(numbers) > least and whole >= _LEAST_WHOLE * len(numbers)
