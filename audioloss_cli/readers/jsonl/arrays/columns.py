"""From the numbers of proven lines to the columns that are asked for."""

from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np  # noqa: TID253  # opened late, for large files only

from audioloss_cli.readers._rows.numbers import EARLIEST, MICROSECONDS, MILLISECONDS
from audioloss_cli.readers._rows.steps import StepColumn
from audioloss_cli.readers._rows.table import Run
from audioloss_cli.readers.jsonl.arrays.layout import Layout
from audioloss_cli.readers.jsonl.arrays.numbers import Numbers
from audioloss_cli.readers.jsonl.arrays.skeleton import Skeleton
from audioloss_cli.readers.jsonl.kinds import Clock, Kind, Leaf

_UNITS = {EARLIEST: 1.0, MILLISECONDS: 1e3, MICROSECONDS: 1e6}


class Rows(NamedTuple):
    """Lines of one kind, column by column.

    Attributes:
        times: float64 Unix seconds; None if the lines have none.
        columns: keys with their float64.
        steps: int64; None if the lines have none.
    """

    times: Any
    columns: list[tuple[str, Any]]
    steps: Any

    def taken(self, which: Any) -> "Rows":
        """Some of them, by a slice or by bool."""
        times = None if self.times is None else self.times[which]
        steps = None if self.steps is None else self.steps[which]
        return Rows(times, [(key, values[which]) for key, values in self.columns], steps)

    def run(self, count: int) -> Run:
        """The same for the table."""
        times = array("d", [float("nan")]) * count if self.times is None else self.times
        return Run(times, self.columns, self.steps)


class Columns:
    """Which columns of a skeleton are asked for, and as what."""

    def __init__(self, skeleton: Skeleton, step: StepColumn, wants: Callable[[str], bool]) -> None:
        leaves = [*enumerate(skeleton.leaves)]
        self._step = step
        self._steps = [(index, leaf) for index, leaf in leaves if leaf.name == step.key]
        self._clocks = [(index, leaf) for index, leaf in leaves if leaf.clock is not Clock.SILENT]
        self._wanted = [(index, leaf.name) for index, leaf in leaves if leaf.name != step.key and wants(leaf.name)]

    def rows(self, numbers: Numbers, layout: Layout, lines: Any) -> tuple[Rows, Any]:
        """Of lines with these numbers (1-based, int64), and which of them are as usual: bool."""
        fit = np.ones(numbers.count, bool)
        times, steps = None, lines if self._step.key is None else None
        for index, leaf in self._clocks:
            values = numbers.floats(layout.row[index])
            least, below = leaf.bounds
            fit &= (values >= least) & (values < below)
            times = values / _UNITS[least] if leaf.clock is Clock.DATE else times
        for index, leaf in self._steps:
            steps = self._whole_steps(numbers, layout.row[index], leaf, fit)
        return Rows(times, [(name, numbers.floats(layout.row[index])) for index, name in self._wanted], steps), fit

    def _whole_steps(self, numbers: Numbers, row: int, leaf: Leaf, fit: Any) -> Any:
        if leaf.kind is Kind.WHOLE:
            steps, exact = numbers.whole(row)
            fit &= exact
            return steps
        values = numbers.floats(row)
        floor = np.floor(values)
        fit &= (np.abs(values) < 2.0**63) & ((floor == values) | (self._step.source != "step"))
        return np.where(fit, floor, 0.0).astype(np.int64)
