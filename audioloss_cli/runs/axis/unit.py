"""What the steps of one series count, by all that the log says: names, companions, strides and wall clock.

No sign decides alone: a log may have a row every 512 steps, a stride of 1 is that of most logs, and an export writes
a whole run within a second.
"""

import math
import re
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from audioloss_cli.model import Series
from audioloss_cli.model.axis import STEPS, UPDATES_OF_AN_EPOCH, AxisUnit, EpochStart, TimeAxis
from audioloss_cli.model.median import median
from audioloss_cli.naming import Role
from audioloss_cli.runs.companions import RunTags

_LOOKED_AT = 512  # points; an axis does not change its meaning later on
_LEAST_POINTS = 5
# What a loss is of is named as well: an audio token loss is no loss against tokens.
_AGAINST = (
    r"(?:vs|versus|against|by|over|seen|consumed|processed|trained|total) (?:seen |consumed |processed |training )?"
)
_EPOCH_NAME = re.compile(r"\bepochs?\b")
# An update of an audio language model takes 20 ms and more; one that takes a minute, with an evaluation behind each, or
# ten, is none.
_FASTEST_UPDATE, _FASTEST_STEPS, _LEAST_BATCH = 0.02, 200.0, 32
_SLOW, _VERY_SLOW = 60.0, 600.0  # seconds a step
_SAME_SHARE = 0.9


class _Signs(NamedTuple):
    """What the first points say.

    Attributes:
        stride: usual distance of two points, in what the axis counts.
        even: whether points always lie so far apart.
        seconds: usual wall time between two points; NaN if the log holds none.
    """

    stride: float
    even: bool
    seconds: float


def axis_of(series: Series, tags: RunTags, epochs: Sequence[EpochStart] = (), *, told: bool = True) -> TimeAxis:
    """Return the axis of a series of a run.

    Args:
        series: the series.
        tags: all series of its run.
        epochs: where its steps started anew and were counted on.
        told: whether the log numbers those epochs.
    """
    if series.step_source in ("line", "ordinal"):
        return TimeAxis("point", 1.0, "the log has no steps, its points were counted")
    if epochs:
        named = "the step starts anew in each epoch and is counted on"
        return TimeAxis("step", 1.0, named if told else f"{named}; the epochs were counted", tuple(epochs))
    signs = _signs_of(series)
    return STEPS if signs is None else _measured(series, tags, signs)


def _measured(series: Series, tags: RunTags, signs: _Signs) -> TimeAxis:
    """How far the axis moves in an update: as the run says, else a point is taken for an update of samples."""
    measured, found = _by_companion(series, tags), _unit_of(series, tags, signs)
    if found is None:
        if measured is None:
            return STEPS
        return TimeAxis("step" if measured[0] > 1 else "point", *measured)
    unit, reason = found
    if measured is not None:
        return TimeAxis(unit, measured[0], f"{reason}; {measured[1]}")
    if unit == "epoch":
        said = f"the log does not say of how many updates, {UPDATES_OF_AN_EPOCH:,} were assumed"
        return TimeAxis(unit, 1 / UPDATES_OF_AN_EPOCH, f"{reason}; {said}")
    return TimeAxis(unit, max(signs.stride, 1.0), f"{reason}; an update takes {signs.stride:,.0f} of them at most")


def _signs_of(series: Series) -> _Signs | None:
    """None if there are too few points."""
    steps = list(islice(series.steps, _LOOKED_AT))
    strides = [after - before for before, after in pairwise(steps) if after >= before]
    if len(strides) < _LEAST_POINTS - 1:
        return None
    times = list(islice(series.wall_times, _LOOKED_AT))
    waits = [after - before for before, after in pairwise(times) if math.isfinite(after - before)]
    stride = float(median(strides))
    seconds = median(waits) if len(waits) >= len(strides) / 2 else math.nan
    return _Signs(stride, strides.count(int(stride)) >= _SAME_SHARE * len(strides), seconds)


def _unit_of(series: Series, tags: RunTags, signs: _Signs) -> tuple[AxisUnit, str] | None:
    """What the axis counts instead of steps, and why; None for steps, and where the log does not say."""
    if series.step_source == "epoch":
        return "epoch", "the rows are numbered by epochs"
    if signs.stride > 1:
        return _samples_or_tokens(series, tags, signs)
    return _epochs(series, tags, signs) if signs.stride == 1 and signs.even else None


def _samples_or_tokens(series: Series, tags: RunTags, signs: _Signs) -> tuple[AxisUnit, str] | None:
    own = tags.tags[series.tag]
    for unit, pattern in _COUNTED:
        if pattern.search(own.words) or any(part.lower() in (unit, f"{unit}s") for part in series.tag.split("/")[:-1]):
            return unit, f"{series.tag} is logged against {unit}s by its name"
    per_second = signs.stride / signs.seconds if signs.seconds >= _FASTEST_UPDATE else 0.0
    if signs.even and signs.stride >= _LEAST_BATCH and per_second > _FASTEST_STEPS:
        return "sample", f"it counts {per_second:,.0f} a second, which no training does in steps"
    return None


_COUNTED: tuple[tuple[AxisUnit, re.Pattern[str]], ...] = (
    ("sample", re.compile(rf"\b{_AGAINST}(?:samples?|utterances?|examples?)\b")),
    ("token", re.compile(rf"\b{_AGAINST}tokens?\b")),
)


def _epochs(series: Series, tags: RunTags, signs: _Signs) -> tuple[AxisUnit, str] | None:
    """One point an epoch, each a whole step: its name, its epochs, or how long each takes and what is done in it."""
    if _EPOCH_NAME.search(tags.tags[series.tag].words):
        return "epoch", f"{series.tag} is a value of an epoch by its name, and there is one a step"
    epoch = tags.of_role(Role.EPOCH)
    if epoch is not None and _counts_alike(series, epoch):
        return "epoch", f"the step is {epoch.tag}"
    if signs.seconds >= _VERY_SLOW:
        return "epoch", f"a step takes {signs.seconds / 60:,.0f} minutes"
    if signs.seconds >= _SLOW and _evaluated_each(series, tags):
        return "epoch", f"a step takes {signs.seconds / 60:,.1f} minutes, and each ends in an evaluation"
    return None


def _counts_alike(series: Series, epoch: Series) -> bool:
    """Whether the epoch of a point is its step, or one more or less, at each of the first points."""
    found = list(zip(islice(epoch.steps, _LOOKED_AT), islice(epoch.values, _LOOKED_AT), strict=False))
    apart = {value - step for step, value in found}
    return len(found) >= min(_LEAST_POINTS, len(series)) and len(apart) == 1 and abs(apart.pop()) <= 1


def _evaluated_each(series: Series, tags: RunTags) -> bool:
    """Whether a held-out loss was logged at nearly all of its steps."""
    steps = set(islice(series.steps, _LOOKED_AT))
    held_out = tags.of("held-out loss", lambda tag: tag.held_out and tag.role.is_loss)
    return any(len(steps & set(islice(each.steps, _LOOKED_AT))) >= _SAME_SHARE * len(steps) for each in held_out)


def _by_companion(series: Series, tags: RunTags) -> tuple[float, str] | None:
    """How far the axis moves in an update where the run logs the number of updates, and what says so."""
    updates = tags.of_role(Role.STEP)
    if updates is None or updates.step_source != series.step_source:
        return None
    points = list(zip(islice(updates.steps, _LOOKED_AT), islice(updates.values, _LOOKED_AT), strict=False))
    rates = [
        (step - before) / (value - number)
        for (before, number), (step, value) in pairwise(points)
        if step > before and value > number
    ]
    if len(rates) < _LEAST_POINTS - 1:
        return None
    rate = median(rates)
    # Equal to the step, or nearly: steps are updates.
    return None if 0.9 <= rate <= 1.1 else (rate, f"{updates.tag} counts the updates")  # noqa: PLR2004
