"""Audio loss that does not move, beside a gradient norm or a learning rate that is none.

What: For steps (1000) updates and 30 points, all of the last 30 points have a gradient norm that is 0, NaN or missing
though it was logged before, or a learning rate of 0, and the loss does not move: the medians of the first and the last
third of them differ by no more than chance. Where no point with a living gradient came before, the first and the last
third of the series do not differ either, nor its first 5 points from its last third, after as many updates more: some
engines log a norm of 0 all the time.

Why: No step is taken, or each one is skipped by the loss scaler: nothing is learnt, though the loss is a number. Single
NaN norms are normal under mixed precision, and end with the next smaller scale.

Fix: Check that the parameters require gradients and are in the optimiser, that loss.backward() runs on this loss, that
the schedule does not begin or end at 0, and that the loss scale does not shrink to its minimum: then gradients overflow
in each step, and bfloat16 or a lower learning rate is the way out.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

from audioloss_cli.model import Limits, LossRule, Point, SeriesHistory
from audioloss_cli.model.median import median
from audioloss_cli.model.point import GRAD_NORM, LEARNING_RATE

_POINTS = 30  # without a step, in a row
# Two medians of n points each differ by no more for no reason than so many distances of neighbours, over the root of n:
# three standard errors of a normal noise.
_BY_CHANCE, _CLEARLY, _HARDLY = 5.6, 2, 0.8
_LEAST_LEVELS = 60  # of the whole series, where no step is known to have been taken


class Rule(LossRule):
    """No gradient, no step, no change."""

    group = "no-gradient"
    numbers_only = True
    for_points = 30
    kinds = frozenset({"ce", "small", "open"})
    inactive = None

    def __init__(self, limits: Limits, *, steps: float = 1000) -> None:
        self.steps = steps
        self.for_steps = int(steps)

    def is_inactive(self, history: SeriesHistory) -> bool:
        """Whether neither has been logged."""
        return GRAD_NORM not in history.names and LEARNING_RATE not in history.names

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        """Whether no step was taken for long, and the loss has not moved."""
        if point.value - point.value != 0:  # not finite
            return None
        if not _is_dead(point.beside, history):
            return False
        points = history.points
        # A look at both ends first: most stretches without a step are short.
        if len(points) < _POINTS or not _is_dead(points[-_POINTS].beside, history):
            return False
        values = _values_without_a_step(points, history)
        if len(values) < _POINTS or _moves(values):
            return False
        return history.stepped or (history.age >= self.steps and _has_never_moved(history))

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        """Whether a step was taken, or the loss moves all the same."""
        if not _is_dead(point.beside, history):
            return True
        moves = _moves(_values_without_a_step(history.points, history), _CLEARLY)
        return moves or not (history.stepped or _has_never_moved(history))

    def screen(self, values: Any, beside: Mapping[str, Any], history: SeriesHistory) -> Any:
        """Where this point and the 29 before had no step taken."""
        import numpy as np

        before = [_is_dead(point.beside, history) for point in list(history.points)[1 - _POINTS :]]
        dead = np.zeros(len(values), bool)
        if GRAD_NORM in history.names:
            norm = beside[GRAD_NORM]
            dead |= ~np.isfinite(norm) | (norm == 0)
        if LEARNING_RATE in history.names:
            dead |= beside[LEARNING_RATE] == 0
        joined = np.concatenate([np.array(before, bool), dead])
        alive = np.flatnonzero(~joined)
        places = np.arange(len(joined))
        last = np.full(len(joined), -1)
        last[alive] = alive
        return (places - np.maximum.accumulate(last) >= _POINTS)[len(before) :]

    def worse(self, value: float, than: float) -> bool:
        """None is worse than another."""
        return False

    def explain(self, point: Point, history: SeriesHistory, since: int, points: int) -> str:
        """Name what is wrong, and the loss."""
        norm = point.beside.get(GRAD_NORM)
        if point.beside.get(LEARNING_RATE) == 0:
            what = "the learning rate is 0"
        else:
            what = f"the gradient norm is {'not logged any more' if norm is None else format(norm, 'g')}"
        return f"loss stays at {point.value:.4g} at step {point.step} and {what}, both since step {since} at least"


def _is_dead(beside: Mapping[str, float], history: SeriesHistory) -> bool:
    """Whether no step can have been taken at a point; a norm that was never logged says nothing."""
    norm = beside.get(GRAD_NORM)
    if norm is None:
        if GRAD_NORM in history.names:
            return True
    elif norm == 0 or not math.isfinite(norm):
        return True
    return beside.get(LEARNING_RATE) == 0


def _values_without_a_step(points: Sequence[Point], history: SeriesHistory) -> list[float]:
    """The finite values of the points up to the current one since a step was taken, oldest first."""
    values = list[float]()
    for point in islice(reversed(points), len(points)):
        if not _is_dead(point.beside, history):
            break
        values.append(point.value)
    return [value for value in reversed(values) if math.isfinite(value)]


def _has_never_moved(history: SeriesHistory) -> bool:
    levels = history.course()
    return len(levels) >= _LEAST_LEVELS and not _moves(levels, _HARDLY) and not _has_left_its_start(levels, history)


def _has_left_its_start(levels: Sequence[float], history: SeriesHistory) -> bool:
    """Whether the first points, which what is learnt leaves soonest, differ from the last third by more than chance."""
    if history.start is None:
        return False
    noise = median(abs(after - before) for before, after in pairwise(levels))
    return abs(history.start - median(levels[-(len(levels) // 3) :])) > _BY_CHANCE * noise / math.sqrt(
        len(history.first)
    )


def _moves(values: Sequence[float], times: float = 1) -> bool:
    """Whether the first and the last third differ by more than chance, so many times."""
    third = len(values) // 3
    if not third:
        return False
    noise = median(abs(after - before) for before, after in pairwise(values))
    return abs(median(values[:third]) - median(values[-third:])) > times * _BY_CHANCE * noise / math.sqrt(third)
