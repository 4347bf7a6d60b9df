"""A loss that has gone up for good is found in noise that hides a slow rise, and a healthy run is left alone."""

import math

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor
from tests.simulator import simulate


def codes(values, stride):
    monitor = AudioLossMonitor()
    for number, value in enumerate(values):
        monitor.update(float(value), number * stride, 0.0)
    return {incident.code for incident in monitor.finish()}


@pytest.mark.parametrize(
    ("seed", "cadence"), [(3100000, 5), (3100004, 5), (3100006, 100), (3100011, 100), (3100015, 10), (3100018, 10)]
)
def test_a_rise_over_300_steps_is_not_what_it_is_held_against(seed, cadence):
    """What is usual had taken it in, level and spread, before it was high enough."""
    run, monitor = simulate("diverges_to_chance", seed, cadence, 0.15), AudioLossMonitor()
    monitor.replay(run.series[run.audited])
    assert {incident.code for incident in monitor.finish()} == {"divergence"}


@pytest.mark.parametrize("stride", [5, 100])
@pytest.mark.parametrize("seed", range(2))
def test_a_leap_that_stays_need_not_exceed_noise_by_as_much(seed, stride):
    """Point by point it is higher than it ever was; there was no chance level at the start by which to know it."""
    rng = np.random.default_rng(seed)
    values = np.append(4.05 * np.exp(0.2 * rng.standard_normal(300)), 6.93 * np.exp(0.015 * rng.standard_normal(120)))
    assert codes(values, stride) == {"divergence"}


@pytest.mark.parametrize("seed", range(2))
def test_harder_data_by_a_third_are_none(seed):
    rng = np.random.default_rng(seed)
    noise = np.exp(0.15 * rng.standard_normal(1200))
    assert codes(np.where(np.arange(1200) < 600, 3.6, 4.7) * noise, 5) == set()


@pytest.mark.parametrize(
    ("family", "seed", "cadence", "noise"),
    [
        ("plateau", 21000055, 1, 0.15),
        ("plateau", 21000005, 5, 0.15),
        ("plateau", 21000086, 10, 0.15),
        ("plateau", 21000019, 50, 0.15),
        ("plateau", 20000019, 100, 0.15),
        ("curriculum", 20000033, 1, 0.02),
    ],
)
def test_what_noise_has_taken_as_high_before_has_not_diverged(family, seed, cadence, noise):
    """It stays for hundreds of steps, so that the last 1000 may all be low."""
    run, monitor = simulate(family, seed, cadence, noise), AudioLossMonitor()
    monitor.replay(run.series[run.audited])
    assert monitor.finish() == []


@pytest.mark.parametrize("cadence", [1, 5, 10, 50, 100])
def test_a_loss_that_wanders_diverges_where_it_never_was(cadence):
    series = simulate("plateau", 21000019, cadence, 0.15).series["train/audio_loss"]
    values = np.array(series.values)
    values[len(values) // 2 :] *= 2.5
    assert codes(values, cadence) >= {"divergence"}


def test_who_guesses_all_along_may_start_a_few_points_lower():
    """The first points alone said that the loss was not at chance."""
    rng, monitor = np.random.default_rng(4), AudioLossMonitor()
    values = math.log(1026) * np.exp(0.004 * rng.standard_normal(400))
    values[:5] *= 0.97
    for number, value in enumerate(values):
        monitor.update(float(value), 10 * number, 0.0)
    assert {incident.code for incident in monitor.finish()} == {"chance-level"}
