"""What each kind of loss is held against in a live loop."""

import math

import numpy as np
import pytest

from tests.monitor.history.test_level import fed, noisy


def codes(values, kind=None, stride=1, beside=None):
    return {(alert.code, alert.type) for alert in fed(values, kind, stride, beside)[1] if alert.edge != "recovered"}


SLOWLY = noisy(4.0 * np.exp(-np.arange(3000) / 420), 0.05)
CLIFF = np.r_[noisy(np.full(600, 4.2)), noisy(np.full(100, 0.0035))]


def test_an_open_loss_that_falls_slowly_is_a_warning_that_says_what_is_open():
    monitor, alerts = fed(SLOWLY, "open")
    alerts = [alert for alert in alerts if alert.edge != "recovered"]
    assert {alert.type for alert in alerts} == {"warning", "sustained_warning"}
    assert all("is open: a held-out loss, a score" in alert.message for alert in alerts)
    (incident,) = monitor.finish()
    assert (incident.certainty, incident.settled_by[:15]) == ("open", "a held-out loss")


def test_a_cliff_is_critical_whatever_the_loss_may_be():
    monitor, _ = fed(CLIFF, "open")
    assert [(item.code, item.severity, item.certainty) for item in monitor.finish()] == [
        ("critical-loss", "critical", "likely")
    ]
    assert ("critical-loss", "critical") in codes(CLIFF)


def test_what_is_small_by_nature_may_be_small():
    assert codes(SLOWLY, "small") == set()


def test_one_low_point_of_a_noisy_open_loss_says_nothing():
    values = noisy(np.full(500, 0.05))
    values[[200, 300]] = 0.008
    assert codes(values, "open") == set()


@pytest.mark.parametrize(("before", "after"), [(-15.0, 1.5), (-5.4, -1.2), (-4.1, 35.0), (-5.4, 40490.0)])
def test_a_negative_loss_that_rises_for_good_is_known_by_its_noise(before, after):
    rng = np.random.default_rng(5)
    values = [*(before + 0.05 * rng.standard_normal(2000)), *(after + 0.05 * rng.standard_normal(300))]
    assert codes(values) == {("signed-rise", "critical")}


def test_a_negative_loss_that_falls_or_crosses_zero_is_healthy():
    rng = np.random.default_rng(5)
    falling = -3 - 12 * (1 - np.exp(-np.arange(3000) / 600)) + 0.4 * rng.standard_normal(3000)
    assert codes(falling) == set()
    crossing = 1.2 - 2.1 * (1 - np.exp(-np.arange(3000) / 300)) + 0.03 * rng.standard_normal(3000)
    assert codes(crossing, "signed") == set()


def test_a_negative_loss_may_not_be_nan():
    assert ("non-finite-loss", "critical") in codes([-4.0] * 30 + [math.nan])


@pytest.mark.parametrize("kind", ["ce", "open"])
def test_a_loss_that_is_nothing_to_the_last_digit_teaches_nothing(kind):
    values = 2.2 * np.exp(-np.arange(400) / 12)
    assert ("vanished-loss", "critical") in codes(values, kind, 1000)
    assert ("vanished-loss", "critical") not in codes(values, "small", 1000)


def test_zeros_of_a_loss_that_decayed_are_none_and_others_are():
    decayed = np.round(noisy(0.9 * np.exp(-np.arange(1500) / 120)), 4)
    assert codes(decayed, "small") == set()
    assert ("zero-loss", "critical") not in codes(decayed, "open")
    decayed[300] = 0.0
    assert ("zero-loss", "critical") in codes(decayed, "small")


def test_a_preference_run_that_falls_to_0_with_its_rewards_nan_is_a_nan():
    def rewards(number):
        return {"reward": 0.1 if number < 90 else math.nan}

    assert codes([0.5] * 90 + [0.0] * 30, "rl", beside=rewards) == {("masked-nan", "critical")}
    assert codes([0.5] * 90 + [0.0] * 30, "rl") == set()


def test_a_warm_up_at_chance_is_not_counted_while_the_learning_rate_rises():
    values = noisy(np.full(600, math.log(1026)), 0.003)

    def rate(number):
        return {"learning_rate": min(number, 300) * 1e-6}

    (found,) = [alert for alert in fed(values, stride=10, beside=rate)[1] if alert.code == "chance-level"]
    assert 4990 <= found.step <= 5100
    (found,) = [alert for alert in fed(values, stride=10)[1] if alert.code == "chance-level"]
    assert found.step <= 2100


@pytest.mark.parametrize("vocabulary", [1025, 2048, 3072, 6561, 8192, 10000, 16384, 65536, 156940])
def test_the_vocabularies_of_the_field_are_known(vocabulary):
    values = noisy(np.full(300, math.log(vocabulary)), 0.002)
    assert codes(values, "open", 20) == {("chance-level", "warning")}


@pytest.mark.parametrize("level", [27.7, 30.5, 7.2, 11.24])
def test_a_loss_that_names_no_audio_meets_no_level_by_chance(level):
    assert codes(noisy(np.full(300, level), 0.01), "open", 20) == set()


def test_all_codebooks_at_next_to_nothing_are_critical():
    values = noisy(5.0 * np.exp(-np.arange(60) / 8) + 0.02)

    def books(number):
        return {"codebook": 0, **{f"codebook/{k}": float(values[number]) * (1 + k / 9) for k in range(8)}}

    assert ("codebooks-low", "critical") in codes(values, beside=books)


def test_two_low_points_of_a_loss_that_nobody_knows_are_low_where_it_was_high():
    high, small = noisy(np.full(60, 4.0)), noisy(np.full(60, 0.3))
    assert codes([*high, 0.008, *high], "open") == set()
    assert codes([*high, 0.008, 0.007, *high], "open") == {("low-loss", "warning")}
    assert codes([*small, 0.008, 0.007, *small], "open") == set()
