"""Replay equals live: same points in any chunking, same alerts, same incidents."""

import math
from array import array
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor
from audioloss_cli.model import MISSING, Series
from audioloss_cli.monitor import machine
from audioloss_cli.monitor.points import beside_at
from audioloss_cli.runs.companions import RunTags, companions
from tests.effort import examples, one_in
from tests.simulator import FAMILIES, simulate

LEVELS = st.sampled_from([3.0, 0.5, 0.01, 0.0099, 0.005, 0.004, 0.0, -1.0, math.nan, math.inf, -math.inf, MISSING])
STRETCHES = st.lists(st.tuples(LEVELS | st.floats(), st.integers(1, 40)), min_size=1, max_size=25)
STRIDES = st.lists(st.sampled_from([0, 1, 1, 1, 5, 10, 60, 500, -3, -700]), min_size=1, max_size=40)


def points_of(stretches: Sequence[tuple[float, int]], strides: Sequence[int]) -> tuple[array, array, array]:
    values = array("d", [value for value, count in stretches for _ in range(count)])
    steps, step = array("q"), 0
    for index in range(len(values)):
        steps.append(step)
        step += strides[index % len(strides)]
    return steps, values, array("d", [1.7e9 + index for index in range(len(values))])


@pytest.fixture(params=[1, 4096], ids=["by the array", "point by point"])
def _by_the_array(request, monkeypatch):
    """Both ways in which a chunk is taken in, though the chunks here are short."""
    monkeypatch.setattr(machine, "POINTS_WORTH_ARRAYS", request.param)
    monkeypatch.setattr(machine, "POINTS_WORTH_IMPORTING", request.param)


pytestmark = pytest.mark.usefixtures("_by_the_array")


def told(alerts) -> list[str]:
    return [repr(alert) for alert in alerts]  # NaN equals itself in print


def live(monitor: AudioLossMonitor, steps, values, times) -> list[str]:
    return told(
        alert
        for step, value, time in zip(steps, values, times, strict=True)
        for alert in monitor.update(value, step, time)
    )


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STRETCHES, STRIDES, st.integers(1, 150), st.data())
def test_replay_in_any_chunking_equals_update(stretches, strides, window, data):
    steps, values, times = points_of(stretches, strides)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=5)))
    one, other = AudioLossMonitor(window), AudioLossMonitor(window)
    expected = live(one, steps, values, times)
    actual = []
    for start, end in zip([0, *cuts], [*cuts, len(values)], strict=True):
        actual += told(other.replay(Series("loss", steps[start:end], values[start:end], times[start:end])))
    assert actual == expected
    assert repr(other.state_dict()) == repr(one.state_dict())
    assert repr(other.diagnostics()) == repr(one.diagnostics())
    assert repr(other.finish()) == repr(one.finish())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STRETCHES, STRIDES, st.integers(1, 150), st.data())
def test_numpy_arrays_replay_like_array_arrays(stretches, strides, window, data):
    buffers = points_of(stretches, strides)
    one, other = AudioLossMonitor(window), AudioLossMonitor(window)
    one.replay(Series("loss", *buffers))
    other.replay(Series("loss", *map(np.asarray, buffers)))
    assert repr(other.finish()) == repr(one.finish())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STRETCHES, STRIDES, st.data())
def test_marked_restarts_replay_like_restart_calls(stretches, strides, data):
    steps, values, times = points_of(stretches, strides)
    marks = sorted(data.draw(st.sets(st.integers(0, len(values) - 1), max_size=4)))
    one, other = AudioLossMonitor(), AudioLossMonitor()
    for index, point in enumerate(zip(steps, values, times, strict=True)):
        if index in marks:
            one.restart()
        one.update(point[1], point[0], point[2])
    other.replay(Series("loss", steps, values, times, restarts=marks))
    assert repr(other.finish()) == repr(one.finish())
    assert other.segment_starts == one.segment_starts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STRETCHES, STRIDES, st.integers(1, 150), st.data())
def test_state_round_trips_in_mid_incident(stretches, strides, window, data):
    """Through JSON too: a checkpoint may store it anywhere."""
    import json

    steps, values, times = points_of(stretches, strides)
    cut = data.draw(st.integers(0, len(values)))
    whole, first, second = (AudioLossMonitor(window) for _ in range(3))
    expected = live(whole, steps, values, times)
    alerts = live(first, steps[:cut], values[:cut], times[:cut])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    alerts += live(second, steps[cut:], values[cut:], times[cut:])
    assert alerts == expected
    assert repr(second.finish()) == repr(whole.finish())


CUT = 3


@pytest.mark.sampled(3)
@pytest.mark.parametrize("_by_the_array", [1], indirect=True)
@pytest.mark.parametrize("family", one_in(3, FAMILIES))
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 999), st.sampled_from([10, 1, 50]), st.sampled_from([0.02, 0.15]), st.data())
def test_every_simulated_family_replays_as_it_would_have_been_watched(family, seed, cadence, noise, data):
    """With what stands beside each series, in any chunking, skipped or not."""
    run = simulate(family, seed, cadence, noise)
    names = {tag: tag for tag in run.series}
    for series in run.series.values():
        columns = companions(series, RunTags(list(run.series.values()), names))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(series)), max_size=CUT)))
        one, other = AudioLossMonitor(), AudioLossMonitor()
        points = zip(series.steps.tolist(), series.values.tolist(), series.wall_times.tolist(), strict=True)
        expected = told(
            alert
            for index, (step, value, time) in enumerate(points)
            for alert in one.update(value, step, time, beside_at(columns, index))
        )
        actual = []
        for start, end in zip([0, *cuts], [*cuts, len(series)], strict=True):
            chunk = Series("x", series.steps[start:end], series.values[start:end], series.wall_times[start:end])
            actual += told(other.replay(chunk, {name: column[start:end] for name, column in columns.items()}))
        assert actual == expected
        assert repr(other.state_dict()) == repr(one.state_dict())
        assert repr(other.finish()) == repr(one.finish())
