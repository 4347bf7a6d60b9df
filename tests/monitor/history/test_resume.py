"""A training that was resumed is held against what came before at the same steps; one that begins anew is not."""

import math
import random
from array import array

import pytest

from audioloss_cli.model import Series
from audioloss_cli.monitor import AudioLossMonitor


def noisy(steps, level, seed=1):
    noise = random.Random(seed)
    return [(step, level(step) * (1 + noise.gauss(0, 0.02))) for step in steps]


def falling(step):
    return 3.5 + 3.4 * math.exp(-step / 400)


def incidents(points, *, arrays=False):
    monitor = AudioLossMonitor()
    if arrays:
        steps, values = array("q", [step for step, _ in points]), array("d", [value for _, value in points])
        monitor.replay(Series("loss", steps, values), arrays=True)
    else:
        for step, value in points:
            monitor.update(value, step, 0.0)
    return monitor.finish()


def found(points):
    """Codes and first steps; live and replay agree."""
    live, replayed = incidents(points), incidents(points, arrays=True)
    assert [(each.id, each.first_step, each.fired_step, each.points, each.segment) for each in live] == [
        (each.id, each.first_step, each.fired_step, each.points, each.segment) for each in replayed
    ]
    return [(each.code, each.first_step, each.segment) for each in live]


@pytest.mark.parametrize("stride", [1, 10, 50])
@pytest.mark.parametrize("back", [0, 1, 10, 40])
def test_a_resume_at_another_level_is_found_whatever_the_overlap(stride, back):
    before = noisy(range(0, 3000, stride), falling)
    resumed = range(3000 - back * stride, 6000, stride)
    assert [code for code, *_ in found(before + noisy(resumed, lambda step: 0.3, 2))] == ["log-drop"]
    assert "divergence" in [code for code, *_ in found(before + noisy(resumed, lambda step: 6.6, 2))]
    assert found(before + noisy(resumed, falling, 2)) == []


@pytest.mark.parametrize("stride", [1, 10, 100])
def test_a_resume_from_far_back_is_held_against_the_same_steps(stride):
    """From where nothing of the last 1000 steps is known."""
    before = noisy(range(0, 1200 * stride, stride), falling)
    resumed = range(500 * stride, 1200 * stride, stride)
    assert [code for code, *_ in found(before + noisy(resumed, lambda step: 0.3, 2))] == ["log-drop"]
    assert found(before + noisy(resumed, falling, 2)) == []


def test_a_training_that_begins_anew_is_watched_afresh():
    once = noisy(range(0, 3000, 10), falling)
    assert found([*once, *noisy(range(0, 3000, 10), falling, 2)]) == []
    assert found([*once, *noisy(range(10, 3000, 10), falling, 2)]) == []


def test_trouble_that_a_resume_goes_on_with_is_found_again():
    points = noisy(range(2000), lambda step: 4.0) + noisy(range(2000, 2200), lambda step: 0.3)
    again = noisy(range(2150, 3000), lambda step: 0.3, 3)
    assert [(code, segment) for code, _, segment in found(points + again)] == [("log-drop", 0), ("log-drop", 1)]


def test_a_rollback_to_before_the_trouble_is_healthy():
    points = noisy(range(2000), lambda step: 4.0) + noisy(range(2000, 2200), lambda step: 0.3)
    assert [segment for *_, segment in found(points + noisy(range(1900, 4000), lambda step: 4.0, 3))] == [0]


def test_what_is_kept_for_a_resume_is_bounded_and_saved():
    monitor = AudioLossMonitor()
    for step, value in noisy(range(0, 2_000_000, 100), lambda step: 4.0):
        monitor.update(value, step, 0.0)
    state = monitor.state_dict()
    assert len(state["past"]["baseline"]["trail"]) <= 128
    other = AudioLossMonitor()
    other.load_state_dict(state)
    for each in (monitor, other):
        for step, value in noisy(range(1_000_000, 1_002_000, 100), lambda step: 0.3, 2):
            each.update(value, step, 0.0)
    assert [each.code for each in other.incidents] == [each.code for each in monitor.incidents] == ["log-drop"]
