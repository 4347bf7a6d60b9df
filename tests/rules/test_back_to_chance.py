"""A run that has lost all that it had learnt is at the level of guessing again, however noisy it was before."""

import math

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor

CHANCE = math.log(1026)


def codes(before, after, noise, start=CHANCE):
    rng, monitor, said = np.random.default_rng(2), AudioLossMonitor(), set()
    values = before * np.exp(noise * rng.standard_normal(800))
    values[:5] = start
    later = after * np.exp(0.005 * rng.standard_normal(40))
    for step, value in enumerate([*values, *later]):
        said |= {alert.code for alert in monitor.update(float(value), 10 * step, 0.0)}
    return said


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.2])
def test_it_is_found_in_any_noise(noise):
    assert "back-to-chance" in codes(4.2, CHANCE, noise)


def test_the_start_may_have_begun_to_fall():
    assert "back-to-chance" in codes(4.2, CHANCE, 0.15, start=0.965 * CHANCE)


@pytest.mark.parametrize(("start", "after"), [(0.9 * CHANCE, CHANCE), (CHANCE, 0.9 * CHANCE)])
def test_another_start_and_another_level_are_not_it(start, after):
    assert "back-to-chance" not in codes(4.2, after, 0.15, start)
