"""Pending, firing, resolved: one stretch is one incident, and no storm of alerts comes out of it."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import plain_monitor


def only(monitor: AudioLossMonitor):
    (incident,) = monitor.incidents
    return incident


def test_ten_thousand_low_steps_are_one_incident_and_a_reminder_a_window():
    monitor = plain_monitor()
    alerts = [alert for step, loss in steady(0.007, 0, 9_999) for alert in monitor.update(loss, step)]
    assert [alert.type for alert in alerts if alert.edge != "reminder"] == ["warning", "sustained_warning"]
    reminders = [alert.step for alert in alerts if alert.edge == "reminder"]
    assert len(reminders) == 99
    assert min(later - earlier for earlier, later in pairwise(reminders)) >= 100
    incident = only(monitor)
    assert (incident.first_step, incident.fired_step, incident.last_step, incident.points) == (0, 0, 9_999, 10_000)
    assert "still firing since step 0" in next(alert.message for alert in alerts if alert.edge == "reminder")


def test_an_incident_from_its_first_to_its_last_step():
    monitor = plain_monitor()
    alerts = feed(
        monitor, (0, 3.0), (10, 0.009), (20, 0.003), (30, 0.004), (40, 0.008), (50, 2.0), *steady(2.0, 51, 300)
    )
    assert alerts == [(10, "warning"), (20, "critical"), (50, "recovered")]
    incident = only(monitor)
    assert (incident.first_step, incident.fired_step, incident.last_step, incident.resolved_step) == (10, 10, 40, 50)
    assert (incident.worst_value, incident.worst_step, incident.points) == (0.003, 20, 4)
    assert (incident.code, incident.type, incident.resolution) == ("critical-loss", "critical", "recovered")
    assert (incident.duration_steps, incident.fire_count, incident.flapping) == (40, 1, False)
    assert monitor.recovered_incidents == [incident]


def test_critical_inhibits_warning():
    monitor = plain_monitor()
    points = [(0, 0.003), *steady(0.007, 1, 50), *steady(0.003, 51, 400)]
    alerts = [alert for step, loss in points for alert in monitor.update(loss, step) if alert.edge != "reminder"]
    assert [alert.type for alert in alerts] == ["critical"]


def test_a_run_that_ends_while_firing_is_unresolved():
    monitor = plain_monitor()
    feed(monitor, (0, 0.001), (1, 0.001))
    assert only(monitor).resolution is None
    (incident,) = monitor.finish()
    assert (incident.resolution, incident.resolved_step) == ("run_ended", None)
    assert monitor.recovered_incidents == []


def test_a_run_that_ends_healthy_has_recovered_though_the_window_is_not_over():
    monitor = plain_monitor()
    feed(monitor, (0, 0.001), (1, 2.0))
    assert [incident.resolution for incident in monitor.finish()] == ["recovered"]


def test_trouble_that_returns_within_a_window_re_fires_the_same_incident():
    monitor = plain_monitor()
    alerts = feed(monitor, (0, 0.001), (1, 2.0), (99, 0.001), (100, 2.0))
    assert alerts == [(0, "critical"), (1, "recovered"), (99, "critical"), (100, "recovered")]
    assert (only(monitor).fire_count, only(monitor).first_step, only(monitor).resolved_step) == (2, 0, 100)


def test_trouble_that_returns_later_is_another_incident():
    monitor = plain_monitor()
    feed(monitor, (0, 0.001), *steady(2.0, 1, 150), (151, 0.001))
    assert [incident.first_step for incident in monitor.incidents] == [0, 151]


def test_an_incident_that_comes_and_goes_flaps_and_falls_silent():
    monitor = plain_monitor()
    points = [(step, 0.001 if step % 2 else 2.0) for step in range(2_000)]
    alerts = [alert for step, loss in points for alert in monitor.update(loss, step)]
    incident = only(monitor)
    assert incident.flapping
    assert incident.fire_count == 1000
    assert [alert.edge for alert in alerts[:8]] == [
        "fired",
        "recovered",
        "refired",
        "recovered",
        "refired",
        "recovered",
        "refired",
        "reminder",
    ]
    assert "comes and goes" in alerts[6].message
    assert {alert.edge for alert in alerts[7:]} == {"reminder"}
    assert len(alerts) <= 7 + 2_000 / 100
    assert [item.resolution for item in monitor.finish()] == ["run_ended"]


def test_flapping_ends_after_a_whole_healthy_window():
    monitor = plain_monitor()
    feed(monitor, *[(step, 0.001 if step % 2 else 2.0) for step in range(100)])
    assert feed(monitor, *steady(2.0, 100, 300)) == [(199, "recovered")]
    assert (only(monitor).resolved_step, only(monitor).resolution) == (100, "recovered")


def test_a_re_fire_keeps_the_words_of_the_worst():
    monitor = plain_monitor()
    feed(monitor, (0, 0.001), (1, 2.0), *steady(0.007, 2, 200))
    assert (only(monitor).code, only(monitor).fire_count) == ("critical-loss", 2)


def test_steps_that_go_back_are_a_restart():
    monitor = plain_monitor()
    feed(monitor, *steady(0.001, 0, 10), (5, 2.0), (6, 0.001))
    assert [(item.segment, item.first_step, item.resolution) for item in monitor.finish()] == [
        (0, 0, "restarted"),
        (1, 6, "run_ended"),
    ]
    assert monitor.segment_starts == [0, 11]


def test_ids_are_unique_across_segments():
    monitor = plain_monitor(name="run:tag")
    feed(monitor, (5, 0.001), (5, math.nan), (4, 2.0), (5, 0.001))
    assert [item.id for item in monitor.incidents] == [
        "run:tag:invalid-loss@5",
        "run:tag:low-loss@5",
        "run:tag:low-loss@5.1",
    ]


@pytest.mark.parametrize("window", [1, 2, 7, 100, 5000])
@given(data=st.data())
def test_no_series_makes_a_storm(window, data):
    """Whatever comes: at most one incident a window, and a handful of alerts each, reminders apart."""
    values = data.draw(st.lists(st.sampled_from([2.0, 0.007, 0.001, math.nan, None]), min_size=1, max_size=300))
    monitor = plain_monitor(window_size=window)
    alerts = [alert for step, value in enumerate(values) for alert in monitor.update(value, step, 0.0)]
    edges = [alert for alert in alerts if alert.edge != "reminder"]
    incidents = monitor.finish()
    assert len(incidents) <= 2 * (len(values) // max(window, 2) + 1)
    assert len(edges) <= 16 * len(incidents)
    assert len(alerts) - len(edges) <= 2 * len(values) / window
    assert sum(len(incident.timeline) for incident in incidents) >= len(edges)
