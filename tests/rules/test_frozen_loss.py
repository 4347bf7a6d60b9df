"""A constant of few decimals says something where the noise before would have changed it."""

import random

import pytest

from audioloss_cli import AudioLossMonitor


def fired(values, every=10):
    monitor = AudioLossMonitor(kind="ce")
    for number, value in enumerate(values):
        monitor.update(value, number * every)
    monitor.finish()
    return [(incident.code, incident.resolution) for incident in monitor.incidents]


def noisy(share, count=150, decimals=3):
    chosen = random.Random(1)
    return [round(5.1 * (1 + chosen.gauss(0, share)), decimals) for _ in range(count)]


@pytest.mark.parametrize("every", [1, 10, 100])
def test_a_rounded_constant_behind_noise_is_found_and_stays(every):
    assert fired([*noisy(0.01), *[5.158] * 150], every) == [("frozen-loss", "run_ended")]


def test_it_is_over_when_another_value_comes():
    assert fired([*noisy(0.01), *[5.158] * 60, *noisy(0.01)]) == [("frozen-loss", "recovered")]


@pytest.mark.parametrize("share", [0.0, 0.0005])
def test_a_logger_that_rounds_as_coarsely_as_the_noise_repeats_itself(share):
    assert fired([*noisy(share, 60), *[5.1] * 60]) == []


def test_the_last_digit_of_a_bfloat16_is_no_thousandth():
    chosen = random.Random(1)
    values = [round(5 * (1 + chosen.gauss(0, 0.003)) * 32) / 32 for _ in range(200)]
    assert fired([*values, *[5.125] * 60]) == []


def test_the_noise_of_what_was_before_a_collapse_says_nothing_of_what_came():
    assert "frozen-loss" not in [code for code, _ in fired([*noisy(0.01), *[0.005] * 150])]
