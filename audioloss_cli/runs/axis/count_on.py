"""Steps that start anew in each epoch, counted on from epoch to epoch.

A loop that logs ``epoch`` and ``iter`` gives every epoch the same steps. Sorted by them, sixty epochs look like noise;
taken for restarts, each epoch is too short for any rule. Counted on, a point of epoch e has the step
(e - first epoch) x length of an epoch + its step, so that a resume still goes back to where it was resumed.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from audioloss_cli.model import Series
from audioloss_cli.model.axis import EpochStart
from audioloss_cli.model.columns import POINTS_WORTH_IMPORTING
from audioloss_cli.model.median import median
from audioloss_cli.naming import Role, Tag
from audioloss_cli.runs.order import times_back

# Restarts at which the epoch rises, as a share of all: a resume in between goes back.
_LEAST_SHARE = 0.8
_LEAST_PASSES = 3  # where no epoch is logged: two passes over the same steps are a launch that was launched again
_SAME_LENGTH, _SAME_START, _LEAST_POINTS = 0.9, 0.8, 3  # of the passes but the last; share that begins alike
_MOST_EPOCHS = 1_000_000
_NEAR, _LEAST_HITS = 3, 0.9  # passes in which a point is looked for; share of the points that must be found
_DENSE = 0.5  # of the points of the leader: what is logged more seldom may be found in the row of another epoch


class CountedOn(NamedTuple):
    """The series of a run, and what was done to their steps.

    Attributes:
        run: the series, those whose steps started anew with steps that count on.
        moved: the tags of those.
        epochs: where each epoch begins on the new axis; empty if no step started anew.
        told: whether the log numbers its epochs; else they were counted.
    """

    run: list[Series]
    moved: frozenset[str] = frozenset()
    epochs: tuple[EpochStart, ...] = ()
    told: bool = True


def counted_on(run: Sequence[Series], tags: Mapping[str, Tag], *, arrays: bool = False) -> CountedOn:
    """Return a run in which steps count on from epoch to epoch, where they did not.

    Args:
        run: all series of the run.
        tags: what the name of each says.
        arrays: importing numpy is worth it, however short the series are.
    """
    losses = [each for each in run if tags[each.tag].role.is_loss and not tags[each.tag].held_out and len(each) > 1]
    leader = max((each for each in losses if _goes_back(each, arrays=arrays)), key=len, default=None)
    if leader is None or leader.step_source != "step":
        return CountedOn(list(run))
    epochs = [each for each in run if tags[each.tag].role is Role.EPOCH and len(each) and each.step_source == "step"]
    for epoch in epochs:
        numbers = _numbers_of(leader, epoch)
        if numbers is not None and _rise_at_restarts(leader.steps, numbers):
            return _by_numbers(run, epoch, sorted(set(numbers)), leader)
    return _by_passes(run, leader) if not epochs and _are_epochs(leader) else CountedOn(list(run))


def _goes_back(series: Series, *, arrays: bool) -> bool:
    return times_back(series.steps, arrays=arrays or len(series) >= POINTS_WORTH_IMPORTING) > 0


def _numbers_of(series: Series, epoch: Series) -> list[int] | None:
    """The number of the epoch of each point: that of the row that it was logged in.

    Rows without this series may stand between, so both are gone through in the order of the log. A point without such a
    row is of the epoch of the point before. None if more than one in ten points has none.
    """
    passes = list(_passes(epoch.steps))
    numbers, turn, place, hits, last = list[int](), 0, 0, 0, _whole(epoch.values[0])
    for step in series.steps:
        for later in range(turn, min(turn + _NEAR, len(passes))):
            start, end = passes[later]
            found = bisect_left(epoch.steps, step, max(start, place), end)
            if found < end and epoch.steps[found] == step:
                turn, place, hits = later, found + 1, hits + 1
                last = _whole(epoch.values[found], last)
                break
        numbers.append(last if last is not None else 0)
    enough = hits >= _LEAST_HITS * len(series) and all(-_MOST_EPOCHS < number < _MOST_EPOCHS for number in numbers)
    return numbers if enough else None


def _whole(value: float, otherwise: int | None = None) -> int | None:
    return math.floor(value) if math.isfinite(value) else otherwise


def _rise_at_restarts(steps: Sequence[int], numbers: Sequence[int]) -> bool:
    """Whether steps go back where the epoch rises, and go on within one."""
    pairs = list(zip(pairwise(steps), pairwise(numbers), strict=True))
    back = [after > before for (step, later), (before, after) in pairs if later < step]
    return sum(back) >= max(_LEAST_SHARE * len(back), 1)


def _length(series: Series) -> int:
    """Steps of an epoch: from the first to the last of the longest one, and one stride."""
    passes = list(_passes(series.steps))
    strides = [after - before for before, after in pairwise(series.steps) if after > before]
    stride = int(median(strides)) if strides else 1
    first = min(series.steps[start] for start, _ in passes)
    return max(series.steps[end - 1] for _, end in passes) - first + max(stride, 1)


def _passes(steps: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first index and the end of each stretch in which no step goes back."""
    start = 0
    for index, (before, after) in enumerate(pairwise(steps), 1):
        if after < before:
            yield start, index
            start = index
    yield start, len(steps)


def _by_numbers(run: Sequence[Series], epoch: Series, epochs: Sequence[int], leader: Series) -> CountedOn:
    """Each series whose points can be told apart by the rows that name their epoch; others stay as they are."""
    first, length, found, moved = epochs[0], _length(leader), list[Series](), set[str]()
    for series in run:
        numbers = _epochs_of(series, epoch, epochs, leader)
        if numbers is None:
            found.append(series)
            continue
        steps = array("q", ((n - first) * length + step for n, step in zip(numbers, series.steps, strict=True)))
        found.append(replace(series, steps=steps))
        moved.add(series.tag)
    starts = (EpochStart((number - first) * length, number) for number in epochs)
    return CountedOn(found, frozenset(moved), tuple(starts))


def _epochs_of(series: Series, epoch: Series, epochs: Sequence[int], leader: Series) -> Sequence[int] | None:
    """The epoch of each point; None if nothing tells: what is logged once an epoch goes with them one by one."""
    if series.step_source != "step" or not len(series):
        return None
    if len(series) == len(epochs) and len(epochs) < _DENSE * len(leader):
        return epochs
    return _numbers_of(series, epoch) if len(series) >= _DENSE * len(leader) else None


def _are_epochs(series: Series) -> bool:
    """Whether passes over the same steps are epochs of one training: its loss goes on where the last pass ended.

    Launches of a sweep, one after the other in one file, look the same by their steps, but each starts where the first
    one did.
    """
    passes = list(_passes(series.steps))
    if len(passes) < _LEAST_PASSES:
        return False
    lengths = [series.steps[end - 1] - series.steps[start] for start, end in passes[:-1]]
    firsts = [series.steps[start] for start, _ in passes]
    # The first steps of two writers that take turns go up; those of epochs do not.
    begin = min(firsts)
    alike = min(lengths) >= _SAME_LENGTH * max(lengths) > 0 and firsts.count(begin) >= _SAME_START * len(firsts)
    short = min(end - start for start, end in passes[:-1]) < _LEAST_POINTS
    longer = series.steps[passes[-1][1] - 1] > max(lengths) + max(firsts)
    return alike and not short and not longer and _goes_on(series, passes)


def _goes_on(series: Series, passes: Sequence[tuple[int, int]]) -> bool:
    """Whether passes begin nearer to the end of the one before than to the beginning of the first."""
    heads = [_level(series.values[start : min(start + 3, end)]) for start, end in passes]
    tails = [_level(series.values[max(end - 3, start) : end]) for start, end in passes]
    near = [
        abs(head - tail) <= abs(head - heads[0])
        for head, tail in zip(heads[1:], tails, strict=False)
        if math.isfinite(head + tail + heads[0])
    ]
    return sum(near) > len(near) / 2


def _level(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan


def _by_passes(run: Sequence[Series], leader: Series) -> CountedOn:
    """Each series with as many passes as the leader; those that do not go back stay as they are."""
    length, count = _length(leader), sum(1 for _ in _passes(leader.steps))
    found, moved = list[Series](), set[str]()
    for series in run:
        passes = list(_passes(series.steps)) if len(series) else []
        if len(passes) != count or series.step_source != "step":
            found.append(series)
            continue
        steps = array("q")
        for number, (start, end) in enumerate(passes):
            steps.extend(number * length + step for step in series.steps[start:end])
        found.append(replace(series, steps=steps))
        moved.add(series.tag)
    starts = (EpochStart(number * length, number) for number in range(count))
    return CountedOn(found, frozenset(moved), tuple(starts), told=False)
