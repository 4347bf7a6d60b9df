"""Rules that wait: what must have held for some steps or points before anything is said."""

import json
import math

import pytest

from audioloss_cli import AudioLossMonitor, Series
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import Toy, plain_monitor, watched_by


def sustained_alone(window_size: int = 10) -> AudioLossMonitor:
    return watched_by("sustained_low_loss", window_size=window_size)


def below_one(step: int, value: float) -> bool | None:
    return value < 1 if math.isfinite(value) else None


def test_a_wait_that_breaks_leaves_no_incident():
    monitor = sustained_alone()
    assert feed(monitor, *steady(0.007, 0, 8), *steady(2.0, 9, 30)) == []
    assert monitor.incidents == []
    assert monitor.finish() == []


def test_a_wait_that_the_end_of_the_run_breaks_leaves_no_incident():
    monitor = sustained_alone()
    assert feed(monitor, *steady(0.007, 0, 8)) == []
    assert monitor.finish() == []


def test_a_wait_that_a_restart_breaks_begins_anew():
    monitor = sustained_alone()
    assert feed(monitor, *steady(0.007, 0, 8), *steady(0.007, 5, 13)) == []
    assert feed(monitor, (14, 0.007)) == [(14, "sustained_warning")]
    assert [(item.segment, item.first_step) for item in monitor.finish()] == [(1, 5)]


def test_it_fires_at_the_step_that_fills_the_window_and_begins_at_the_first():
    monitor = sustained_alone()
    assert feed(monitor, *steady(0.007, 5, 30))[0] == (14, "sustained_warning")
    (incident,) = monitor.finish()
    assert (incident.first_step, incident.fired_step, incident.last_step, incident.points) == (5, 14, 30, 26)


def test_after_a_break_the_whole_wait_is_due_again():
    monitor = sustained_alone()
    assert feed(monitor, *steady(0.007, 0, 8), (9, 2.0), *steady(0.007, 10, 19)) == [(19, "sustained_warning")]
    assert monitor.incidents[0].first_step == 10


def test_a_re_fire_waits_as_the_first_fire_did():
    monitor = sustained_alone()
    assert feed(monitor, *steady(0.007, 0, 12), (13, 2.0)) == [(9, "sustained_warning"), (13, "recovered")]
    assert feed(monitor, *steady(0.007, 14, 22), (23, 2.0)) == []
    assert monitor.incidents[0].resolved_step == 23
    assert feed(monitor, *steady(0.007, 24, 33)) == [(33, "sustained_warning")]
    assert (monitor.incidents[0].fire_count, monitor.incidents[0].resolved_step) == (2, None)


@pytest.mark.parametrize(
    ("wait", "cadence", "fires"),
    [
        ({"for_points": 3}, 1, 2),
        ({"for_points": 3}, 100, 200),
        ({"for_steps": 201}, 100, 200),
        ({"for_steps": 202}, 100, 300),
        ({"for_steps": 101, "for_points": 4}, 100, 300),
        ({"for_steps": 401, "for_points": 4}, 100, 400),
    ],
)
def test_both_the_steps_and_the_points_must_be_there(wait, cadence, fires):
    toy = Toy("patient", below_one, **wait)
    assert feed(watched_by(toy, window_size=10_000), *steady(0.5, 0, 1000, cadence)) == [(fires, "patient")]


def test_a_point_that_says_nothing_neither_breaks_nor_counts():
    monitor = watched_by(Toy("patient", below_one, for_points=3))
    points = [(0, 0.5), (1, math.nan), (2, 0.5), (3, math.nan), (4, 0.5)]
    assert feed(monitor, *points) == [(4, "patient")]
    assert monitor.incidents[0].points == 3


def test_a_window_of_one_step_still_takes_two_points():
    assert feed(plain_monitor(window_size=1), (7, 0.007), (8, 0.007)) == [(7, "warning"), (8, "sustained_warning")]
    assert feed(sustained_alone(1), (7, 0.007), (7, 0.007)) == [(7, "sustained_warning")]
    assert feed(sustained_alone(1), (7, 0.007), (8, 2.0), (9, 0.007)) == []


def test_equal_thresholds_leave_the_warnings_nothing_to_say():
    monitor = plain_monitor(threshold=0.01, critical_threshold=0.01, window_size=10)
    assert {kind for _, kind in feed(monitor, *steady(0.007, 0, 30))} == {"critical"}


def test_a_critical_threshold_of_zero_leaves_zero_to_the_warnings():
    monitor = plain_monitor(critical_threshold=0, window_size=10)
    assert feed(monitor, *steady(0.0, 0, 9)) == [(0, "warning"), (9, "sustained_warning")]


def test_incidents_that_share_their_first_step_have_ids_of_their_own():
    monitor = plain_monitor(window_size=1)
    feed(monitor, *[(5, 0.001), (5, 2.0), (5, 2.0)] * 3, (6, 0.001))
    assert [incident.id for incident in monitor.finish()] == [
        "low-loss@5",
        "low-loss@5+1",
        "low-loss@5+2",
        "low-loss@6",
    ]


def test_a_monitor_that_goes_on_after_its_end_has_ids_of_its_own():
    monitor = plain_monitor()
    feed(monitor, (5, 0.001))
    monitor.finish()
    feed(monitor, (5, 0.001))
    assert [incident.id for incident in monitor.finish()] == ["low-loss@5", "low-loss@5+1"]


@pytest.mark.parametrize("cut", range(12))
def test_a_wait_goes_on_where_it_was_saved(cut):
    points, first, second = steady(0.007, 0, 11), sustained_alone(), sustained_alone()
    alerts = feed(first, *points[:cut])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert alerts + feed(second, *points[cut:]) == [(9, "sustained_warning")]


def test_replay_waits_as_update_does():
    points = [*steady(0.007, 0, 8), (9, 2.0), *steady(0.007, 10, 40), (41, 2.0)]
    one, other = sustained_alone(), sustained_alone()
    alerts = other.replay(Series("loss", [step for step, _ in points], [loss for _, loss in points]))
    assert [(alert.step, alert.type) for alert in alerts] == feed(one, *points)
    assert [alert.step for alert in alerts] == [19, 29, 39, 41]
