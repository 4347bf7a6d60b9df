"""One series at the steps of another one: by the array and slice by slice it is what it is one by one."""

from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.model import Series, is_missing
from audioloss_cli.runs import align
from audioloss_cli.runs.align import LateColumn, aligned, matched
from tests.spilled import spilled

# Passes that rise, and one after the other: restarts, repeated steps, gaps.
PASSES = st.lists(st.lists(st.integers(0, 12), max_size=12).map(sorted), max_size=4)
STEPS = PASSES.map(lambda passes: [step for each in passes for step in each])


def series(steps: list[int], first: float = 0.0) -> Series:
    return Series("x", array("q", steps), array("d", [first + place for place in range(len(steps))]))


def told(column) -> list[float | None]:
    return [None if is_missing(value) else value for value in column]


def one_by_one(steps: list[int], other: Series) -> list[float | None]:
    return told(align._one_by_one(steps, other.steps, other.values))


def test_a_second_pass_goes_with_a_second_pass():
    other = series([0, 2, 4, 2, 4], first=10.0)
    assert one_by_one([0, 1, 2, 2, 4], other) == [10, None, 11, 13, 14]


def test_what_was_logged_more_often_counts_as_last_logged():
    assert one_by_one([1], series([1, 1, 1])) == [2]


@given(STEPS, STEPS)
def test_every_way_matches_alike(steps, others):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(align, "_WORTH_ARRAYS", 0)
        patch.setattr(align, "_MOST_POINTS", 5)
        own, other = series(steps), series(others, first=100.0)
        truth = one_by_one(steps, other)
        columns = np.array(steps, np.int64), np.array(others, np.int64), np.asarray(other.values)
        for arrays in (False, True):
            assert told(matched(own.steps, other.steps, other.values, arrays=arrays)) == truth
            assert told(matched(*columns, arrays=arrays)) == truth
        late = align._column(spilled(own).steps, spilled(other), arrays=False)
        assert isinstance(late, LateColumn)
        assert told(late[:]) == truth
        for start in range(len(steps)):
            assert told(late[start : start + 3]) == truth[start : start + 3]
            assert told([late[start]]) == truth[start : start + 1]


@given(STEPS, STEPS)
def test_falls_are_found(steps, others):
    both = steps + others
    found = align._passes(spilled(series(both)).steps)
    assert [place for part in found for place in part] == list(range(len(both)))
    assert [part.start for part in found[1:]] == [at for at in range(1, len(both)) if both[at] < both[at - 1]]


def test_very_many_passes_are_matched_in_memory(monkeypatch):
    monkeypatch.setattr(align, "_MOST_PASSES", 2)
    own, other = series([0, 1] * 3), series([1, 2] * 3, first=10.0)
    assert isinstance(found := align._column(spilled(own).steps, spilled(other), arrays=False), array)
    assert told(found) == [None, 10, None, 12, None, 14]


@pytest.mark.parametrize(
    "steps",
    [
        [epoch for epoch in range(3) for _ in range(400)],  # epochs in the place of steps
        [step for _ in range(60) for step in range(20)],  # steps that begin anew in every epoch
    ],
)
def test_points_that_share_their_steps_are_matched_once(steps, monkeypatch):
    """Not once for each slice: a slice of them goes over as many points as all do."""
    monkeypatch.setattr(align, "_MOST_POINTS", 100)
    calls = []
    monkeypatch.setattr(align, "matched", lambda *given, **how: calls.append(1) or matched(*given, **how))
    own, other = series(steps), series(steps[::2], first=100.0)
    late = align._column(spilled(own).steps, spilled(other), arrays=False)
    found = [value for start in range(0, len(steps), 50) for value in late[start : start + 50]]
    assert told(found) == one_by_one(steps, other)
    assert len(calls) <= 3


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("put", [lambda item: item, spilled])
@pytest.mark.parametrize(("there", "enough"), [(range(51), True), (range(50), False)])
def test_a_column_of_too_few_values_is_none(put, there, enough, arrays):
    own, other = put(series(list(range(100)))), put(series(list(there)))
    found = aligned(own, other, 0.5, arrays=arrays)
    assert (found is not None) is enough
    assert aligned(own, other, 0.0) is not None


@pytest.mark.parametrize("put", [lambda item: item, spilled])
def test_the_same_steps_need_no_new_column(put):
    other = series([3, 1, 1])
    assert aligned(put(series([3, 1, 1])), other, 0.5) is other.values
