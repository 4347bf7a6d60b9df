"""What a monitor can tell about itself: diagnostics, recovery attempts, and its state for a checkpoint."""

import pytest

from audioloss_cli import AudioLossMonitor
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import plain_monitor


def test_diagnostics_over_the_window():
    monitor = plain_monitor(window_size=10)
    feed(monitor, *steady(3.0, 0, 100), (101, 1.0), (102, 0.007), (103, 0.001), (104, 2.0))
    found = monitor.diagnostics()
    window = [3.0] * 6 + [1.0, 0.007, 0.001, 2.0]
    assert (found["history_size"], found["points"], found["last_step"]) == (10, 105, 104)
    assert (found["current"], found["min"], found["max"]) == (2.0, 0.001, 3.0)
    assert found["mean"] == pytest.approx(sum(window) / 10)
    assert found["median"] == 3.0
    assert (found["below_threshold"], found["below_critical_threshold"]) == (2, 1)
    assert [item["code"] for item in found["closed_incidents"]] == ["critical-loss"]
    assert found["open_incidents"] == []
    assert found["recovery_attempts"] == []


def test_diagnostics_of_a_new_monitor():
    found = plain_monitor().diagnostics()
    assert (found["history_size"], found["current"], found["min"], found["mean"], found["median"]) == (
        0,
        None,
        None,
        None,
        None,
    )


def test_the_window_of_a_sparse_log_holds_few_points():
    monitor = plain_monitor(window_size=100)
    feed(monitor, *steady(3.0, 0, 5000, cadence=30))
    assert monitor.diagnostics()["history_size"] == 4


def test_memory_is_bounded_when_the_step_never_changes():
    monitor = plain_monitor(window_size=50)
    feed(monitor, *[(0, 3.0)] * 10_000)
    assert monitor.diagnostics()["history_size"] == 50


def test_a_recovery_attempt_that_works():
    monitor = plain_monitor()
    feed(monitor, (10, 0.001))
    attempt = monitor.record_recovery_attempt(10, "lower the learning rate")
    assert (attempt.step, attempt.action, attempt.recovered) == (10, "lower the learning rate", None)
    assert attempt.timestamp > 1.6e9
    feed(monitor, (20, 0.001), (30, 2.0))
    (listed,) = monitor.recovery_attempts
    assert (listed["recovered"], listed["recovered_step"]) == (True, 30)


def test_a_recovery_attempt_that_does_not():
    monitor = plain_monitor()
    feed(monitor, (10, 0.001))
    monitor.record_recovery_attempt(10, "skip the batch")
    feed(monitor, (109, 0.001))
    assert monitor.recovery_attempts[0].recovered is None
    feed(monitor, (110, 0.001), (120, 2.0))
    assert monitor.recovery_attempts[0].recovered is False
    assert monitor.diagnostics()["recovery_attempts"][0]["action"] == "skip the batch"


def test_a_rollback_makes_the_steps_go_back_and_its_window_starts_there():
    monitor = plain_monitor()
    feed(monitor, *steady(0.001, 500, 600))
    monitor.record_recovery_attempt(600, "roll back to step 400")
    feed(monitor, *steady(0.001, 400, 499))
    assert monitor.recovery_attempts[0].recovered is None
    feed(monitor, (500, 0.001))
    assert monitor.recovery_attempts[0].recovered is False


def test_the_limits_belong_to_the_constructor():
    strict, loose = plain_monitor(threshold=0.5), plain_monitor()
    feed(strict, (0, 0.1))
    loose.load_state_dict(strict.state_dict())
    assert feed(loose, (1, 0.1)) == [(1, "recovered")]


def test_a_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 99"):
        plain_monitor().load_state_dict({**plain_monitor().state_dict(), "version": 99})


def test_the_loss_history_is_the_last_window():
    monitor = plain_monitor(window_size=5)
    assert monitor.loss_history == []
    for step, loss in enumerate([3.0, 2.9, float("nan"), 2.8, 2.7, 2.6]):
        monitor.update(loss, 10 + step)
    assert [repr(loss) for loss in monitor.loss_history] == ["2.9", "nan", "2.8", "2.7", "2.6"]
    monitor.update(2.5, 18)
    assert monitor.loss_history == [2.7, 2.6, 2.5]  # steps count, not points


def test_a_state_with_a_type_of_a_rule_of_its_own_goes_on_under_a_type_that_loops_know():
    """Types were once as many as rules."""
    monitor = AudioLossMonitor()
    feed(monitor, *steady(4.0, 0, 700), *steady(9.0, 701, 1300))
    state = monitor.state_dict()
    state["groups"]["high-loss"]["open"]["type"] = "divergence"
    again = AudioLossMonitor()
    again.load_state_dict(state)
    assert ("divergence", "critical") in [(incident.code, incident.type) for incident in again.incidents]
