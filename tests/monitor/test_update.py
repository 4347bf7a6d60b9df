"""The live door: the customer's contract, one point at a time."""

import math

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Severity
from tests.monitor.toys import plain_monitor


def feed(monitor: AudioLossMonitor, *points: tuple[int, float | None]) -> list[tuple[int, str]]:
    return [(alert.step, alert.type) for step, loss in points for alert in monitor.update(loss, step, 0.0)]


def steady(value: float, first: int, last: int, cadence: int = 1) -> list[tuple[int, float]]:
    return [(step, value) for step in range(first, last + 1, cadence)]


def test_the_customers_loop_works_as_written():
    monitor = plain_monitor(window_size=100, threshold=0.01, critical_threshold=0.005)
    errors = []
    for step, audio_loss in enumerate(np.array([4.0, 0.004], np.float32)):
        for alert in monitor.update(audio_loss.item(), step):
            if alert["type"] == "critical":
                errors.append(alert["message"])  # noqa: PERF401  # the customer's code
    assert errors == ["loss 0.004 at step 1 is below the critical threshold 0.005"]


def test_an_alert_reads_as_an_object_and_as_a_mapping():
    (alert,) = plain_monitor().update(0.001, 7, 1.5)
    assert (alert.type, alert.severity, alert.code, alert.edge) == (
        "critical",
        Severity.CRITICAL,
        "critical-loss",
        "fired",
    )
    assert dict(alert) == {name: getattr(alert, name) for name in alert}
    assert (alert["step"], alert["value"], alert["wall_time"]) == (7, 0.001, 1.5)
    assert alert.get("nothing") is None
    with pytest.raises(KeyError):
        alert["nothing"]


@pytest.mark.parametrize(
    "loss",
    [
        0.004,
        np.float32(0.004),
        np.float64(0.004),
        np.array(0.004),
    ],
)
def test_a_loss_is_any_one_number(loss):
    assert [alert.type for alert in plain_monitor().update(loss, 1)] == ["critical"]


@pytest.mark.parametrize("loss", [0, np.int64(0), False])
def test_a_whole_number_is_a_loss(loss):
    assert [alert.type for alert in plain_monitor().update(loss, 1)] == ["critical"]


@pytest.mark.parametrize("loss", ["0.004", b"1", [0.004], np.array([0.004, 1.0]), 1j, object(), {}])
def test_anything_else_is_refused_in_words(loss):
    with pytest.raises(TypeError, match="loss must be one number, not"):
        plain_monitor().update(loss, 1)


@pytest.mark.parametrize("step", [1, 1.0, np.int32(1)])
def test_a_step_is_any_whole_number(step):
    assert plain_monitor().update(0.001, step)[0].step == 1


@pytest.mark.parametrize(
    ("step", "error"), [(1.5, TypeError), ("1", TypeError), (None, TypeError), (2**63, ValueError)]
)
def test_any_other_step_is_refused(step, error):
    with pytest.raises(error, match="step"):
        plain_monitor().update(1.0, step)


def test_only_strictly_below_a_threshold_counts():
    assert feed(plain_monitor(), (0, 0.01)) == []
    assert feed(plain_monitor(), (0, math.nextafter(0.01, 0))) == [(0, "warning")]
    assert feed(plain_monitor(), (0, 0.005)) == [(0, "warning")]
    assert feed(plain_monitor(), (0, math.nextafter(0.005, 0))) == [(0, "critical")]


@pytest.mark.parametrize(
    ("cadence", "fires", "points"), [(1, 99, 100), (5, 100, 21), (10, 100, 11), (50, 100, 3), (500, 500, 2)]
)
def test_the_window_counts_steps_whatever_the_cadence(cadence, fires, points):
    monitor = plain_monitor()
    alerts = [alert for step, loss in steady(0.007, 0, 1000, cadence) for alert in monitor.update(loss, step)]
    sustained = [alert for alert in alerts if alert.edge == "escalated"]
    assert [(alert.type, alert.step) for alert in sustained] == [("sustained_warning", fires)]
    assert f"{points} points from step 0 to {fires}" in sustained[0].message


def test_one_healthy_point_breaks_the_window():
    points = [*steady(0.007, 0, 60), (61, 1.0), *steady(0.007, 62, 140)]
    assert "sustained_warning" not in [kind for _, kind in feed(plain_monitor(), *points)]


def test_a_point_that_is_no_number_neither_breaks_nor_fills_the_window():
    points = [*steady(0.007, 0, 60), (61, math.nan), *steady(0.007, 62, 99)]
    alerts = feed(plain_monitor(), *points)
    assert (99, "sustained_warning") in alerts
    assert (61, "critical") in alerts


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
def test_no_number_is_critical_at_once_and_does_not_end_what_fires(bad):
    monitor = plain_monitor()
    assert feed(monitor, (0, 2.0), (1, bad), (2, 2.0)) == [(1, "critical"), (2, "recovered")]
    assert feed(monitor, (500, 0.001), (501, bad), (502, 0.001)) == [
        (500, "critical"),
        (501, "critical"),
        (502, "recovered"),
    ]
    assert [incident.code for incident in monitor.incidents if incident.resolution is None] == ["critical-loss"]
    statistics = monitor.diagnostics()
    assert (statistics["min"], statistics["mean"], statistics["not_finite"]) == (0.001, 0.001, 1)


def test_missing_and_not_a_number_are_told_apart():
    codes = [plain_monitor().update(bad, 1)[0].code for bad in (None, math.nan)]
    assert codes == ["missing-loss", "non-finite-loss"]


def test_scale_moves_the_thresholds_and_leaves_the_values():
    (alert,) = plain_monitor(scale=8).update(0.032, 1)
    assert (alert.type, alert.value) == ("critical", 0.032)
    assert plain_monitor(scale=8).update(0.08, 1) == []


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"critical_threshold": 0.02}, "must not be above the warning threshold"),
        ({"window_size": 0}, "at least 1"),
        ({"window_size": 1.5}, "whole number"),
        ({"window_size": True}, "whole number"),
        ({"threshold": math.nan}, "threshold must be a finite number"),
        ({"threshold": math.inf}, "threshold must be a finite number"),
        ({"critical_threshold": math.nan}, "critical_threshold must be a finite number"),
        ({"critical_threshold": -0.1}, "0 or more"),
        ({"threshold": "0.01"}, "threshold must be a finite number"),
    ],
)
def test_bad_limits_are_refused_in_words(limits, words):
    with pytest.raises(ValueError, match=words):
        plain_monitor(**limits)
