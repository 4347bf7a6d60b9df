"""Series and what is collected into them; defects and where they are."""

import math
from array import array

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor
from audioloss_cli.model import MISSING, Defect, Series, SeriesCollector, is_missing


def chunk(steps: list[int], restarts: list[int], **more: str) -> Series:
    return Series("loss", steps, [2.0] * len(steps), [1.7e9 + step for step in steps], restarts, **more)


def test_join_keeps_the_order_and_moves_the_restarts():
    joined = Series.join([chunk([0, 1, 2], [2]), chunk([], []), chunk([3, 1], [1]), chunk([0], [0])])
    assert list(joined.steps) == [0, 1, 2, 3, 1, 0]
    assert list(joined.wall_times) == [1.7e9 + step for step in (0, 1, 2, 3, 1, 0)]
    assert joined.restarts == [2, 4, 5]
    assert len(joined) == len(joined.values) == 6


def test_a_joined_series_replays_as_its_chunks_do():
    chunks = [chunk([5, 6], [1]), chunk([7, 8], [0]), chunk([9, 10], [])]
    joined, apart = AudioLossMonitor(), AudioLossMonitor()
    joined.replay(Series.join(chunks))
    for part in chunks:
        apart.replay(part)
    assert joined.segment_starts == apart.segment_starts == [0, 1, 2]


def test_join_keeps_what_the_chunks_say_of_themselves():
    joined = Series.join([chunk([number], [], step_source="line", run="a") for number in range(2)])
    assert (joined.tag, joined.step_source, joined.run) == ("loss", "line", "a")


def test_join_keeps_missing_apart_from_nan_in_any_buffer():
    values = [2.0, MISSING, math.nan]
    joined = Series.join(
        [Series("loss", [0, 1, 2], buffer) for buffer in (values, array("d", values), np.array(values))]
    )
    assert [is_missing(value) for value in joined.values] == [False, True, False] * 3


def test_join_leaves_its_chunks_alone_and_needs_one():
    first, second = chunk([0], []), chunk([1], [0])
    Series.join([first, second])
    assert (len(first), second.restarts) == (1, [0])
    with pytest.raises(ValueError, match="no chunks"):
        Series.join([])


def test_without_wall_times_all_are_nan():
    series = Series("loss", array("q", [1, 2, 3]), array("d", [2.0, 0.001, 2.0]))
    assert [math.isnan(time) for time in series.wall_times] == [True] * 3
    assert math.isnan(AudioLossMonitor().replay(series)[0].wall_time)
    assert (len(Series("loss")), len(Series("loss").wall_times)) == (0, 0)


@pytest.mark.parametrize(
    ("steps", "values", "times"), [([1, 2], [2.0], []), ([1], [2.0, 3.0], []), ([1, 2], [2.0, 3.0], [1.7e9])]
)
@pytest.mark.parametrize("kind", [list, np.array])
def test_buffers_of_unequal_length_are_refused(kind, steps, values, times):
    with pytest.raises(ValueError, match=rf"'loss' has {len(steps)} steps, {len(values)} values and \d times"):
        Series("loss", kind(steps), kind(values), kind(times))


def test_missing_is_one_nan_among_all():
    assert math.isnan(MISSING)
    assert is_missing(MISSING)
    assert not any(map(is_missing, [math.nan, -math.nan, math.inf - math.inf, 0.0, math.inf]))
    assert is_missing(array("d", [MISSING])[0])


def test_a_collector_keeps_tags_in_order_and_marks_restarts():
    found = SeriesCollector(step_source="epoch", run="a")
    for step, restarted in [(0, False), (1, True), (0, True)]:
        found.append("b", step, 2.0, 1.7e9, restarted=restarted)
        found.append("a", step, 3.0, math.nan)
    assert found.points == 6
    one, other = found.flush()
    assert (one.tag, list(one.steps), one.restarts, one.step_source, one.run) == ("b", [0, 1, 0], [1, 2], "epoch", "a")
    assert (other.tag, list(other.values), other.restarts) == ("a", [3.0] * 3, [])
    assert (found.points, list(found.flush())) == (0, [])


def test_a_step_beyond_int64_is_refused_by_the_collector():
    with pytest.raises(OverflowError):
        SeriesCollector().append("loss", 2**63, 2.0, 1.7e9)


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({}, "runs/a"),
        ({"offset": 0}, "runs/a at byte 0"),
        ({"offset": 24}, "runs/a at byte 24"),
        ({"line": 3}, "runs/a:3"),
        ({"line": 3, "offset": 24}, "runs/a:3"),
    ],
)
def test_the_place_of_a_defect(where, place):
    assert Defect("runs/a", "malformed", "bad", **where).place == place
