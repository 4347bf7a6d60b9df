"""Steps at which a run went on without one of its series."""

from collections.abc import Sequence
from itertools import islice

from audioloss_cli.model import Series
from audioloss_cli.naming import Role
from audioloss_cli.runs.companions import RunTags

_RECENT, _SHARE = 50, 0.5  # last points of the series, and the share at which the other one must have been logged too
_MOST_STEPS, _PART = 1000, 1 << 14


def steps_without(series: Series, tags: RunTags) -> Sequence[int]:
    """Return the steps after the last one of a series at which others were logged that had been logged beside it.

    Of very many an even choice, the last one among them. None if it only goes by another name from there on.

    Args:
        series: a series of a training.
        tags: all series of its run.
    """
    if not len(series) or _renamed(series, tags):
        return ()
    tails = (_tail(series, other) for other in tags.beyond(series.steps[-1]) if _is_logged_beside(other, tags))
    steps = max(tails, key=len, default=())
    stride = 1 + len(steps) // _MOST_STEPS
    return steps if stride == 1 else [*steps[:-1:stride], steps[-1]]


def _is_logged_beside(other: Series, tags: RunTags) -> bool:
    return tags.tags[other.tag].matters and not tags.tags[other.tag].held_out


def _renamed(series: Series, tags: RunTags) -> bool:
    """Whether a series of the same role begins where this one ends: the loss has another name from there on."""
    own, last = tags.tags[series.tag], series.steps[-1]
    return any(
        tags.tags[each.tag].role is own.role
        and own.role in (Role.AUDIO, Role.TRAINING)
        and tags.tags[each.tag].codebook == own.codebook
        and not tags.tags[each.tag].held_out
        and each.steps[0] >= last
        for each in tags.beyond(last)
    )


def _tail(series: Series, other: Series) -> Sequence[int]:
    """The steps of another series behind the last one of this, up to a restart; none if it counts something else."""
    last = series.steps[-1]
    if other.step_source != series.step_source or other.steps[-1] <= last:
        return ()
    place = _last_place(other.steps, last)
    if place is None:
        return ()
    recent = set(series.steps[-_RECENT:])
    before = set(other.steps[max(place + 1 - _MOST_STEPS, 0) : place + 1])
    reach = [step for step in recent if step >= min(before)]
    if len(before & recent) < _SHARE * len(reach):
        return ()
    tail = other.steps[place + 1 :]
    back = next((index for index, step in enumerate(islice(tail, 1, None), 1) if step < tail[index - 1]), len(tail))
    return [step for step in tail[:back] if step > last]


def _last_place(steps: Sequence[int], wanted: int) -> int | None:
    for end in range(len(steps), 0, -_PART):
        part = list(steps[max(end - _PART, 0) : end])
        if wanted in part:
            return end - 1 - part[::-1].index(wanted)
    return None
