"""Dense and sparse logs: what counts in steps, what in points, and which of the two lasts longer."""

from collections.abc import Iterator

import pytest

from tests.monitor.test_update import feed, steady
from tests.monitor.toys import plain_monitor


def interrupted(cadence: int, period: int, fires: int) -> Iterator[tuple[int, float]]:
    """Low, with one healthy point at the end of each period; as many stretches as it is to fire."""
    for index in range(period * fires):
        yield index * cadence, 2.0 if index % period == period - 1 else 0.001


@pytest.mark.parametrize(
    ("cadence", "period", "flaps"),
    [
        (1, 499, True),  # three re-fires within 998 steps
        (1, 500, False),  # within 1000, and 1000 points
        (10, 49, True),
        (10, 50, False),
        (500, 2, True),  # a sparse log: three re-fires take 2000 steps, but few points
        (500, 9, True),  # within 18 points
        (500, 10, False),  # within 20
        (10**9, 9, True),
    ],
)
def test_flapping_is_within_1000_steps_or_20_points(cadence, period, flaps):
    monitor = plain_monitor()
    feed(monitor, *interrupted(cadence, period, 4))
    (incident,) = monitor.incidents
    assert (incident.flapping, incident.fire_count) == (flaps, 4)


def test_a_sparse_log_that_comes_and_goes_falls_silent_at_the_third_re_fire():
    monitor = plain_monitor()
    alerts = [alert for step, loss in interrupted(500, 2, 10) for alert in monitor.update(loss, step)]
    assert [(alert.step, alert.edge) for alert in alerts if alert.edge != "reminder"] == [
        (0, "fired"),
        (500, "recovered"),
        (1000, "refired"),
        (1500, "recovered"),
        (2000, "refired"),
        (2500, "recovered"),
        (3000, "refired"),
    ]


def test_flapping_in_a_sparse_log_ends_after_two_healthy_points():
    monitor = plain_monitor()
    feed(monitor, *interrupted(500, 2, 4))
    assert monitor.incidents[0].flapping
    assert feed(monitor, (4000, 2.0), (4500, 2.0)) == [(4000, "recovered")]
    assert (monitor.incidents[0].resolved_step, monitor.incidents[0].resolution) == (3500, "recovered")


@pytest.mark.parametrize(("window", "cadence"), [(100, 500), (100, 100), (1, 1), (1, 0)])
def test_one_healthy_point_is_no_window_whatever_the_cadence(window, cadence):
    once, twice = plain_monitor(window), plain_monitor(window)
    low, high = 0.001, 2.0
    feed(once, *((index * cadence, loss) for index, loss in enumerate([low, high, low])))
    feed(twice, *((index * cadence, loss) for index, loss in enumerate([low, high, high, low])))
    assert [incident.fire_count for incident in once.incidents] == [2]
    assert [incident.fire_count for incident in twice.incidents] == [1, 1]


@pytest.mark.parametrize(("window", "cadence"), [(100, 500), (1, 1)])
def test_healthy_points_that_do_not_follow_each_other_are_no_window_either(window, cadence):
    monitor = plain_monitor(window)
    feed(monitor, *((index * cadence, loss) for index, loss in enumerate([0.001, 2.0] * 3)))
    assert [incident.fire_count for incident in monitor.incidents] == [3]


@pytest.mark.parametrize(("healthy", "incidents"), [(9, 1), (10, 2)])
def test_a_dense_window_is_over_when_all_its_steps_were_healthy(healthy, incidents):
    monitor = plain_monitor(window_size=10)
    feed(monitor, (0, 0.001), *steady(2.0, 1, healthy), (healthy + 1, 0.001))
    assert len(monitor.incidents) == incidents


def test_a_low_point_in_between_begins_the_healthy_window_anew():
    monitor = plain_monitor(window_size=10)
    feed(monitor, (0, 0.001), *steady(2.0, 1, 9), (10, 0.001), *steady(2.0, 11, 19), (20, 0.001))
    assert [incident.fire_count for incident in monitor.incidents] == [3]


def test_a_sparse_log_reminds_at_every_point_and_no_more():
    monitor = plain_monitor()
    alerts = [alert for step, loss in steady(0.001, 0, 5000, 500) for alert in monitor.update(loss, step)]
    assert [(alert.step, alert.edge) for alert in alerts[:3]] == [(0, "fired"), (500, "reminder"), (1000, "reminder")]
    assert len(alerts) == 11
