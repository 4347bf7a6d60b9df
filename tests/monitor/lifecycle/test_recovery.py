"""Recovery attempts: judged at the last point of a window after the action, in any cadence and through any restart."""

import json
import math
import time

import pytest

from audioloss_cli import AudioLossMonitor, Series
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import plain_monitor


def collapsed(window_size: int = 100, step: int = 0) -> AudioLossMonitor:
    """A monitor whose last point was bad, with an attempt at that point."""
    monitor = plain_monitor(window_size=window_size)
    feed(monitor, (step, 0.001))
    monitor.record_recovery_attempt(step, "lower the learning rate")
    return monitor


def outcomes(monitor: AudioLossMonitor) -> list[tuple[bool | None, int | None]]:
    return [(attempt.recovered, attempt.recovered_step) for attempt in monitor.recovery_attempts]


def test_an_attempt_has_the_time_at_which_it_was_made():
    before = time.time()
    monitor = collapsed()
    assert before <= monitor.recovery_attempts[0].timestamp <= time.time()


@pytest.mark.parametrize(("loss", "outcome"), [(2.0, (True, 500)), (0.001, (False, None))])
def test_the_first_point_after_the_window_judges_in_a_sparse_log(loss, outcome):
    monitor = collapsed()
    feed(monitor, (500, loss))
    assert outcomes(monitor) == [outcome]
    feed(monitor, (1000, 0.001), (1500, 2.0))
    assert outcomes(monitor) == [outcome]


def test_a_point_after_the_window_judges_nothing_if_the_window_had_points():
    monitor = collapsed()
    feed(monitor, (99, 0.001), (101, 2.0))
    assert outcomes(monitor) == [(False, None)]
    monitor = collapsed()
    feed(monitor, (99, 2.0), (101, 0.001))
    assert outcomes(monitor) == [(True, 99)]


def test_the_last_point_of_the_window_counts():
    monitor = collapsed()
    feed(monitor, *steady(0.001, 1, 99), (100, 2.0), (101, 0.001))
    assert outcomes(monitor) == [(True, 100)]


def test_one_healthy_point_in_a_collapse_is_no_recovery():
    monitor = collapsed()
    feed(monitor, (10, 0.001), (11, 2.0))
    assert outcomes(monitor) == [(True, 11)]
    feed(monitor, (12, 0.001))
    assert outcomes(monitor) == [(None, None)]
    feed(monitor, *steady(0.001, 13, 100))
    assert outcomes(monitor) == [(False, None)]


def test_the_step_of_recovery_is_the_first_of_the_last_healthy_stretch():
    monitor = collapsed()
    feed(monitor, (10, 2.0), (20, 0.001), (30, 2.0), (40, 2.0), (100, 2.0))
    assert outcomes(monitor) == [(True, 30)]


def test_an_incident_that_flaps_is_judged_by_its_points_though_it_stays_firing():
    points = [(step, 0.001 if step % 2 else 2.0) for step in range(100)]
    monitor = plain_monitor(window_size=50)
    feed(monitor, *points)
    assert monitor.incidents[0].flapping
    monitor.record_recovery_attempt(99, "skip the batch")
    feed(monitor, (100, 2.0))
    assert outcomes(monitor) == [(True, 100)]
    assert monitor.incidents[0].resolved_step is None
    feed(monitor, (101, 0.001), (149, 0.001))
    assert outcomes(monitor) == [(False, None)]


def test_where_nothing_is_bad_there_is_nothing_to_recover_from():
    monitor = plain_monitor()
    monitor.record_recovery_attempt(0, "before the first point")
    feed(monitor, (1, 2.0))
    monitor.record_recovery_attempt(1, "at a healthy point")
    feed(monitor, (2, 0.001), (3, 2.0))
    monitor.record_recovery_attempt(3, "when it is over")
    feed(monitor, *steady(2.0, 4, 300))
    assert outcomes(monitor) == [(None, None)] * 3


def test_attempts_that_overlap_are_judged_each_by_its_own_window():
    monitor = collapsed()
    feed(monitor, (60, 0.001))
    monitor.record_recovery_attempt(60, "roll back")
    feed(monitor, (100, 0.001), (120, 2.0), (160, 2.0))
    assert outcomes(monitor) == [(False, None), (True, 120)]


def test_a_rollback_that_works_counts_from_the_step_it_went_back_to():
    monitor = collapsed(step=600)
    feed(monitor, *steady(2.0, 400, 450), (451, 0.001), *steady(2.0, 452, 500), (501, 0.001))
    assert outcomes(monitor) == [(True, 452)]


def test_a_restart_that_is_told_of_counts_like_a_rollback():
    monitor = collapsed(step=600)
    monitor.restart()
    feed(monitor, (10_000, 0.001), (10_099, 0.001))
    assert outcomes(monitor) == [(None, None)]
    feed(monitor, (10_100, 2.0))
    assert outcomes(monitor) == [(True, 10_100)]


@pytest.mark.parametrize("cut", range(6))
def test_an_attempt_goes_on_where_it_was_saved(cut):
    """Before, inside and after its window, and over a rollback."""
    points = [(620, 2.0), (640, 0.001), (400, 0.001), (450, 2.0), (500, 0.001)]
    whole, first, second = collapsed(step=600), collapsed(step=600), plain_monitor()
    feed(whole, *points)
    feed(first, *points[:cut])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert outcomes(second) == outcomes(first)
    feed(second, *points[cut:])
    assert outcomes(second) == outcomes(whole) == [(False, None)]


def test_replay_judges_as_update_does():
    points = [*steady(2.0, 1, 40), (41, 0.001), *steady(2.0, 42, 200)]
    live, replayed = collapsed(), collapsed()
    feed(live, *points)
    replayed.replay(Series("loss", [step for step, _ in points], [loss for _, loss in points]))
    assert outcomes(replayed) == outcomes(live) == [(True, 42)]


def test_diagnostics_list_every_attempt_with_its_outcome():
    monitor = collapsed()
    monitor.record_recovery_attempt(0, "skip the batch")
    feed(monitor, (50, 2.0))
    listed = monitor.diagnostics()["recovery_attempts"]
    assert listed == [dict(attempt) for attempt in monitor.recovery_attempts]
    assert [(item["action"], item["recovered"], item["recovered_step"]) for item in listed] == [
        ("lower the learning rate", True, 50),
        ("skip the batch", True, 50),
    ]


def test_an_attempt_is_judged_from_the_next_point_on_though_nothing_else_is_waited_for():
    """An incident that is said once, and for good, fires on while nothing is asked."""
    monitor = AudioLossMonitor(10, kind="ce")
    for step in range(3001):
        monitor.update(8 * math.log(1026) * (1 + 1e-3 * (step % 7)) / (1 + step / 3000), step)
    assert not monitor._machine.busy
    assert monitor._machine.bad
    monitor.record_recovery_attempt(3000, "divide the loss")
    for step in range(3001, 3011):
        monitor.update(28 + 1e-2 * (step % 7), step)
    assert outcomes(monitor) == [(False, None)]
