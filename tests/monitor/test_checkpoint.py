"""What a checkpoint holds: built-in types only, that survive JSON and rules that come and go between releases."""

import json
import math
from typing import Any

import numpy as np
import pytest

from audioloss_cli import Severity
from audioloss_cli.model import MISSING, is_missing
from tests.monitor.test_update import feed, steady
from tests.monitor.toys import Toy, plain_monitor, watched_by


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("store", [lambda state: state, through_json], ids=["as it is", "JSON"])
def test_missing_stays_missing(store):
    monitor, resumed = plain_monitor(), plain_monitor()
    feed(monitor, (0, 2.0), (1, None), (2, 2.0), (3, math.nan))
    resumed.load_state_dict(store(monitor.state_dict()))
    (incident,) = resumed.incidents
    assert is_missing(incident.worst_value)
    assert [(edge.edge, is_missing(edge.value)) for edge in incident.timeline] == [
        ("fired", True),
        ("recovered", False),
        ("refired", False),
    ]
    assert math.isnan(incident.timeline[-1].value)


def test_not_a_number_does_not_become_missing():
    monitor, resumed = plain_monitor(), plain_monitor()
    feed(monitor, (1, math.nan), (2, MISSING))
    resumed.load_state_dict(through_json(monitor.state_dict()))
    assert not is_missing(resumed.incidents[0].worst_value)


def test_a_state_does_not_change_with_the_monitor_it_came_from():
    monitor, resumed = plain_monitor(), plain_monitor()
    feed(monitor, (0, 0.001))
    monitor.record_recovery_attempt(0, "none")
    state = monitor.state_dict()
    before = repr(state)
    resumed.load_state_dict(state)
    for either in (monitor, resumed):
        feed(either, (1, 2.0), (0, 0.001), (200, 2.0), (201, math.nan))
    assert repr(state) == before


@pytest.mark.parametrize("number", [np.float32, np.float64])
def test_whatever_the_numbers_were_the_state_is_built_in(number):
    monitor = plain_monitor(window_size=np.int64(10), threshold=np.float32(0.01))
    monitor.update(number(0.001), np.int64(1), number(1.5))
    monitor.record_recovery_attempt(np.int64(1), "none")
    assert repr(through_json(monitor.state_dict())) == repr(monitor.state_dict())  # NaN equals itself in print
    assert json.dumps(monitor.diagnostics())


@pytest.mark.parametrize("cut", range(8))
def test_what_comes_and_goes_is_counted_over_a_checkpoint(cut):
    points = [(step, 2.0 if step % 2 else 0.001) for step in range(8)]
    first, second = plain_monitor(), plain_monitor()
    feed(first, *points[:cut])
    second.load_state_dict(through_json(first.state_dict()))
    feed(second, *points[cut:])
    assert [(incident.fire_count, incident.flapping) for incident in second.incidents] == [(4, True)]


def test_diagnostics_are_json_in_mid_incident_and_after():
    monitor = plain_monitor()
    feed(monitor, (0, 2.0), (1, 0.001), (2, math.nan), (3, None), (4, math.inf))
    monitor.record_recovery_attempt(4, "none")
    during = through_json(monitor.diagnostics())
    assert [item["code"] for item in during["open_incidents"]] == ["critical-loss", "non-finite-loss"]
    assert (during["closed_incidents"], during["not_finite"]) == ([], 3)
    feed(monitor, (5, 2.0))
    monitor.finish()
    after = through_json(monitor.diagnostics())
    assert [item["resolution"] for item in after["closed_incidents"]] == ["recovered", "recovered"]
    assert (after["open_incidents"], after["recovery_attempts"][0]["recovered"]) == ([], True)


def test_a_rule_that_is_gone_leaves_its_incident_to_the_others_of_its_group():
    later = Toy("gone", lambda step, value: value < 1, group="low-loss")
    monitor, resumed = watched_by("low_loss", later), plain_monitor()
    assert feed(monitor, (0, 0.5)) == [(0, "gone")]
    resumed.load_state_dict(through_json(monitor.state_dict()))
    assert feed(resumed, (1, 0.007), (2, 2.0)) == [(1, "warning"), (2, "recovered")]
    (incident,) = resumed.incidents
    assert (incident.first_step, incident.fired_step, incident.code) == (0, 0, "low-loss")


def test_a_group_that_is_gone_takes_its_incidents_along_and_nothing_else():
    gone = Toy("gone", lambda step, value: True, severity=Severity.WARNING)
    monitor, resumed = watched_by("low_loss", gone), plain_monitor()
    assert feed(monitor, (0, 0.007)) == [(0, "warning"), (0, "gone")]
    resumed.load_state_dict(through_json(monitor.state_dict()))
    assert feed(resumed, (1, 2.0)) == [(1, "recovered")]
    assert [incident.id for incident in resumed.finish()] == ["low-loss@0"]


def test_a_group_that_the_state_does_not_know_starts_afresh_in_the_current_segment():
    old = watched_by("low_loss")
    feed(old, (5, 0.007), (4, 2.0))
    used = plain_monitor()
    feed(used, (900, math.nan))
    used.load_state_dict(through_json(old.state_dict()))
    assert [incident.id for incident in used.incidents] == ["low-loss@5"]
    assert feed(used, (7, math.nan)) == [(7, "critical")]
    assert [(item.id, item.segment) for item in used.finish()] == [("low-loss@5", 0), ("invalid-loss@7.1", 1)]


def test_a_smaller_window_takes_over_what_fits():
    wide, narrow = plain_monitor(), plain_monitor(window_size=10)
    feed(wide, *steady(3.0, 0, 49))
    narrow.load_state_dict(through_json(wide.state_dict()))
    assert (narrow.diagnostics()["history_size"], narrow.diagnostics()["points"]) == (10, 50)
