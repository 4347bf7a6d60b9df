"""The order of the points of a series: steps that never move, and logs that are out of order."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from operator import gt
from typing import Any

from audioloss_cli.model import Series
from audioloss_cli.model.columns import POINTS_WORTH_IMPORTING, blocks

# Steps that go back more often than this are no restarts: several writers, or one that does not keep order.
_MOST_RESTARTS, _MOST_RESTARTS_SHARE = 10, 0.05


def with_moving_steps(run: Sequence[Series]) -> list[Series]:
    """If no step of the run ever changes, none was passed to the logger: ordinals stand in for them."""
    long = [series for series in run if len(series) > 1]
    if not long or any(_moves(series.steps) for series in long):
        return list(run)
    return [replace(series, steps=array("q", range(len(series))), step_source="ordinal") for series in run]


def _moves(steps: Sequence[int]) -> bool:
    return steps[0] != steps[-1] or min(steps) != max(steps)


def in_order(series: Series, *, arrays: bool = False) -> Series:
    """Sorted by step, if the steps go back so often that no run was restarted that often; else as it is.

    However long it is, a series has to be in memory to be sorted.

    Args:
        series: one of a run.
        arrays: importing numpy is worth it, however short the series is.
    """
    arrays = arrays or len(series) >= POINTS_WORTH_IMPORTING
    if times_back(series.steps, arrays=arrays) <= max(_MOST_RESTARTS, _MOST_RESTARTS_SHARE * len(series)):
        return series
    columns = (series.steps, series.values, series.wall_times)
    steps, values, times = _sorted_by_array(*columns) if arrays else _sorted(*columns)
    return replace(series, steps=steps, values=values, wall_times=times, restarts=[])


def times_back(steps: Sequence[int], *, arrays: bool) -> int:
    """How often a step is lower than the one before; by numpy, if ``arrays``."""
    count, last = 0, array("q")
    for block in blocks(steps):
        if len(last) and len(block):
            count += last[0] > block[0]
        count += _within(block, arrays=arrays)
        last = block[-1:]
    return count


def _within(steps: Sequence[int], *, arrays: bool) -> int:
    if not arrays:
        return sum(map(gt, steps, islice(steps, 1, None)))
    import numpy as np

    found = np.asarray(steps)
    return int(np.count_nonzero(found[1:] < found[:-1]))


def _sorted(steps: Sequence[int], values: Sequence[float], times: Sequence[float]) -> tuple[Any, Any, Any]:
    order = sorted(range(len(steps)), key=steps.__getitem__)
    return (
        array("q", map(steps.__getitem__, order)),
        array("d", map(values.__getitem__, order)),
        array("d", map(times.__getitem__, order)),
    )


def _sorted_by_array(steps: Sequence[int], values: Sequence[float], times: Sequence[float]) -> tuple[Any, Any, Any]:
    import numpy as np

    order = np.argsort(np.asarray(steps), kind="stable")
    found = (np.asarray(column)[order] for column in (steps, values, times))
    return tuple(array(code, part.tobytes()) for code, part in zip("qdd", found, strict=True))  # type: ignore[return-value]
