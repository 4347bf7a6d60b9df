"""Chance is met from where the loss started, or exactly from above."""

import math
import random

import pytest

from audioloss_cli import AudioLossMonitor


def fired(values, every=1, **settings):
    monitor = AudioLossMonitor(kind="ce", **settings)
    for number, value in enumerate(values):
        monitor.update(value, number * every)
    monitor.finish()
    return [incident.code for incident in monitor.incidents]


def settling(start, level, noise=0.003, count=4000, within=100):
    chosen = random.Random(1)
    return [
        (level + (start - level) * math.exp(-5 * step / within)) * (1 + chosen.gauss(0, noise)) for step in range(count)
    ]


@pytest.mark.parametrize(("start", "codes"), [(7.2, 1024), (7.4, 1024), (7.83, 2048), (8.55, 4096), (11.5, 65536)])
def test_an_untrained_head_comes_down_to_chance_and_stays(start, codes):
    assert fired(settling(start, math.log(codes))) == ["chance-level"]


@pytest.mark.parametrize("level", [0.98, 0.985, 1.015, 1.03])
def test_a_plateau_near_a_chance_level_is_none_that_was_started_above(level):
    assert fired(settling(7.2, level * math.log(1024))) == []


def test_what_started_at_the_chance_of_more_codes_has_learnt():
    assert fired(settling(math.log(2048), math.log(1024))) == []


def test_a_loss_that_goes_on_falling_has_not_settled():
    falling = [7.2 - 0.25 * min(step / 1000, 1) - 0.0002 * step for step in range(4000)]
    assert fired(falling) == []


def test_what_may_be_no_cross_entropy_settles_anywhere():
    monitor = AudioLossMonitor(kind="open")
    for step, value in enumerate(settling(7.3, math.log(1024))):
        monitor.update(value, step)
    assert [incident.code for incident in monitor.finish()] == []
