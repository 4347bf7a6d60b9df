"""How high a loss lies now and then is known from the whole segment, and is nothing where the loss only fell."""

import json

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Series
from audioloss_cli.monitor.history.block import Block
from audioloss_cli.monitor.history.trail import Trail

STEP = 1.2


def trail(medians, points=25):
    found = Trail()
    for key, median in enumerate(medians):
        found.note(Block(key, points, float(median), 0.0))
    return found


def wandering(points=3000, length=200.0, deviation=0.15):
    rng, keep = np.random.default_rng(5), np.exp(-1 / length)
    shocks = rng.standard_normal(points)
    shocks[1:] *= np.sqrt(1 - keep * keep)
    for index in range(1, points):
        shocks[index] += keep * shocks[index - 1]
    return 4.0 * np.exp(deviation * shocks)


@pytest.mark.parametrize("points", [25, 1])
@pytest.mark.parametrize("count", [40, 1000])
def test_a_loss_that_only_falls_was_never_high(count, points):
    medians = 3.0 + 4.0 / (1 + np.arange(count) / 10)
    level = float(np.median(medians[-12:]))
    assert trail(medians, points).high_since(STEP * level) <= STEP * level


def test_blocks_of_many_points_say_more_of_the_highest_of_them():
    medians = [4.0, 4.0, 4.0, 4.0, *np.linspace(4, 6, 36)]
    assert trail(medians, 25).high_since(4.0) > trail(medians, 1).high_since(4.0)


@pytest.mark.parametrize("medians", [[], [4.0] * 4, [9.0] * 50])
def test_nothing_is_known_of_a_loss_that_was_never_as_low(medians):
    assert trail(medians).high_since(4.0) == 0.0


def test_a_single_low_block_of_a_falling_loss_is_no_level():
    medians = [9.0, 9.0, 3.0, *[9.0] * 20, *[4.0] * 30]
    assert trail(medians).high_since(4.5) == 4.0


def high(monitor):
    return monitor._machine.history.high(STEP)


def test_it_is_the_same_live_replayed_and_restored():
    values = wandering()
    series = Series("loss", list(range(len(values))), values.tolist(), [0.0] * len(values))
    live, replayed, restored = AudioLossMonitor(), AudioLossMonitor(), AudioLossMonitor()
    for step, value in enumerate(values):
        live.update(float(value), step, 0.0)
    replayed.replay(series)
    restored.load_state_dict(json.loads(json.dumps(live.state_dict())))
    assert high(live) == high(replayed) == high(restored) > 1.2 * 4.0


def test_what_rises_now_has_no_part_in_it():
    """The last 300 steps may be the trouble itself."""
    monitor = AudioLossMonitor()
    values = [*(4.0 + 0.01 * np.sin(np.arange(1500))), *(4.0 + 1.9 * np.arange(300) / 300)]
    for step, value in enumerate(values):
        monitor.update(float(value), step, 0.0)
    assert high(monitor) < 4.05
