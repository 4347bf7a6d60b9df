"""While something critical of another kind holds, a warning stays unsaid; it is said afterwards if it still holds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor, Severity
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import Toy, plain_monitor, watched_by

LOW_LOSS = ("critical_loss", "low_loss", "sustained_low_loss")


def monitor_beside(first: int, last: int, *, for_steps: int = 1, window_size: int = 100) -> AudioLossMonitor:
    """The low-loss rules, and something critical of another kind between two steps."""
    alarm = Toy("alarm", lambda step, value: first <= step <= last, for_steps=for_steps)
    return watched_by(*LOW_LOSS, alarm, window_size=window_size)


def test_a_warning_that_ends_beside_a_critical_is_never_said():
    monitor = monitor_beside(10, 20)
    assert feed(monitor, *steady(0.007, 12, 15), (16, 2.0), (21, 2.0)) == [(12, "alarm"), (21, "recovered")]
    assert [incident.code for incident in monitor.finish()] == ["alarm"]


def test_a_warning_that_outlasts_a_critical_is_said_afterwards():
    monitor = monitor_beside(10, 20)
    assert feed(monitor, *steady(0.007, 12, 25)) == [(12, "alarm"), (21, "warning"), (21, "recovered")]
    (low,) = [incident for incident in monitor.incidents if incident.group == "low-loss"]
    assert (low.first_step, low.fired_step, low.points, low.fire_count) == (12, 21, 14, 1)


def test_what_is_critical_itself_is_said_beside_another_critical():
    monitor = monitor_beside(10, 20)
    assert feed(monitor, (11, 0.007), (12, 0.001)) == [(11, "alarm"), (12, "critical")]


def test_reminders_of_a_warning_wait_too():
    monitor = monitor_beside(10, 20, window_size=6)
    assert feed(monitor, *steady(0.007, 0, 22)) == [
        (0, "warning"),
        (5, "sustained_warning"),
        (10, "alarm"),
        (16, "alarm"),
        (21, "sustained_warning"),
        (21, "recovered"),
    ]


def test_an_escalation_to_a_warning_waits_too():
    monitor = monitor_beside(10, 20, window_size=15)
    alerts = [alert for step, loss in steady(0.007, 0, 22) for alert in monitor.update(loss, step)]
    assert [(alert.step, alert.edge) for alert in alerts if alert.incident == "low-loss@0"] == [
        (0, "fired"),
        (21, "escalated"),
    ]


def test_a_warning_that_was_said_recovers_aloud_beside_a_critical():
    monitor = monitor_beside(10, 20)
    assert feed(monitor, (9, 0.007), (10, 0.007), (11, 2.0)) == [(9, "warning"), (10, "alarm"), (11, "recovered")]


def test_a_critical_rule_that_still_waits_inhibits_nothing():
    monitor = monitor_beside(10, 20, for_steps=5)
    assert feed(monitor, *steady(0.007, 10, 15)) == [(10, "warning"), (14, "alarm")]


def test_a_warning_inhibits_nothing():
    notice = Toy("notice", lambda step, value: True, severity=Severity.WARNING)
    assert feed(watched_by(*LOW_LOSS, notice), (0, 0.007)) == [(0, "warning"), (0, "notice")]


@pytest.mark.parametrize("bad", [math.nan, None])
def test_a_critical_that_is_over_inhibits_nothing(bad):
    """A value that is no number says nothing about a threshold, so the low one after it is the first to speak."""
    monitor = plain_monitor()
    assert feed(monitor, (0, 2.0), (1, bad), (2, 0.007)) == [(1, "critical"), (2, "recovered"), (2, "warning")]


def test_trouble_that_returns_unsaid_moves_the_end_of_its_incident():
    monitor = monitor_beside(10, 20)
    alerts = feed(monitor, (8, 0.007), (9, 2.0), (10, 0.007), (11, 2.0))
    assert alerts == [(8, "warning"), (9, "recovered"), (10, "alarm")]
    (low,) = [incident for incident in monitor.incidents if incident.group == "low-loss"]
    assert (low.last_step, low.resolved_step, low.duration_steps, low.fire_count) == (10, 11, 3, 1)


@given(
    st.lists(st.sampled_from([2.0, 2.0, 0.007, 0.001, math.nan, None]), min_size=1, max_size=60),
    st.sets(st.integers(0, 60)),
    st.integers(1, 12),
    st.integers(1, 4),
)
def test_nothing_recovers_that_never_fired(values, alarms, window, for_steps):
    alarm = Toy("alarm", lambda step, value: step in alarms, for_steps=for_steps)
    monitor = watched_by(*LOW_LOSS, "non_finite_loss", "missing_loss", alarm, window_size=window)
    alerts = [alert for step, value in enumerate(values) for alert in monitor.update(value, step, 0.0)]
    incidents = monitor.finish()
    for incident in incidents:
        edges = [alert.edge for alert in alerts if alert.incident == incident.id]
        assert edges[0] == "fired"
        assert edges.count("fired") == 1
        assert incident.fired_step >= incident.first_step
    assert {alert.incident for alert in alerts} == {incident.id for incident in incidents}
    assert len({incident.id for incident in incidents}) == len(incidents)
