"""What opened closes once the trouble is over, though the rule that opened it cannot speak any more."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor, Series, registry
from audioloss_cli.model import MISSING
from audioloss_cli.monitor import machine
from audioloss_cli.monitor.machine import Machine
from tests.effort import examples

CHANCE, SUM = math.log(1026), 8 * math.log(1026)
EARLY = {"select": ["early-drop"]}


@pytest.fixture
def one_by_one(monkeypatch) -> list[int]:
    """The steps of all points that were not skipped by the array; every chunk goes by the array."""
    monkeypatch.setattr(machine, "POINTS_WORTH_ARRAYS", 1)
    monkeypatch.setattr(machine, "POINTS_WORTH_IMPORTING", 1)
    advance, found = Machine.advance, list[int]()

    def watched(self, point):
        found.append(point.step)
        return advance(self, point)

    monkeypatch.setattr(Machine, "advance", watched)
    return found


def leaves_chance(at: int, count: int) -> np.ndarray:
    steps = np.arange(count)
    noise = np.random.default_rng(0).normal(0, 0.02, count)
    return np.where(steps < at, CHANCE, 3 + (CHANCE - 3) * np.exp((at - steps) / 2000)) + noise


def replay(monitor: AudioLossMonitor, values, first: int = 0, **columns):
    steps = np.arange(first, first + len(values))
    return monitor.replay(Series("loss", steps, np.asarray(values, float), steps * 1.0), columns)


def update(monitor: AudioLossMonitor, values, first: int = 0, **columns):
    return [
        alert
        for index, value in enumerate(values)
        for alert in monitor.update(
            value, first + index, float(first + index), {name: column[index] for name, column in columns.items()}
        )
    ]


def is_idle(monitor: AudioLossMonitor) -> bool:
    """Whether nothing is open but what is said once, for good."""
    return all(group.idle for group in monitor._machine.groups)


@pytest.mark.parametrize("at", [1990, 2400, 3000])
def test_a_loss_that_left_chance_is_not_watched_point_by_point_for_the_rest_of_the_run(at, one_by_one):
    monitor = AudioLossMonitor()
    alerts = replay(monitor, leaves_chance(at, 100_000))
    (incident,) = monitor.incidents
    assert (alerts[-1].edge, incident.code, incident.resolution) == ("recovered", "chance-level", "recovered")
    assert is_idle(monitor)
    assert sum(step > incident.resolved_step + 1000 for step in one_by_one) < 300


@pytest.mark.parametrize("feed", [replay, update])
def test_it_closes_a_window_after_its_first_healthy_point(feed):
    monitor, values = AudioLossMonitor(100), leaves_chance(3000, 8000)
    feed(monitor, values[:3600])
    (incident,) = monitor.incidents
    resolved = incident.resolved_step
    for end, closed in ((resolved + 99, 0), (resolved + 100, 1)):
        monitor = AudioLossMonitor(100)
        feed(monitor, values[:end])
        assert [len(group.closed) for group in monitor._machine.groups if group.group == "chance-level"] == [closed]


@pytest.mark.parametrize("feed", [replay, update])
def test_an_incident_that_flapped_has_recovered_though_its_rule_fell_asleep_in_its_healthy_window(feed):
    """It slept through the end of the window: the incident was reported as firing at the end of the run."""
    monitor, values = AudioLossMonitor(500, **EARLY), np.full(5000, 4.0) + 0.01 * (np.arange(5000) % 7)
    for step in range(300, 800, 50):
        values[step : step + 10] = 0.1
    alerts = feed(monitor, values)
    (incident,) = monitor.finish()
    assert incident.flapping
    assert (incident.resolution, incident.resolved_step, alerts[-1].step) == ("recovered", 760, 1259)


@pytest.mark.parametrize("feed", [replay, update])
def test_a_value_that_is_no_number_is_no_recovery_from_what_numbers_alone_can_tell(feed):
    monitor, values = AudioLossMonitor(100, **EARLY), np.full(5000, math.nan)
    values[:1100] = 4.0 + 0.01 * (np.arange(1100) % 7)
    values[900:1050] = 0.1
    feed(monitor, values)
    assert not is_idle(monitor)
    feed(monitor, [4.0, 4.1] * 60, first=5000)
    assert is_idle(monitor)
    assert [item.resolved_step for item in monitor.incidents] == [1050]


@pytest.mark.parametrize("feed", [replay, update])
def test_what_is_said_once_is_said_afterwards_where_something_graver_held_at_the_time(feed):
    """It waited, was taken for said, and kept the monitor busy for the rest of the run."""
    count = 3000
    monitor, text = AudioLossMonitor(), np.full(count, 2.0)
    values = SUM * np.linspace(1, 0.8, count) * (1 + 0.001 * (np.arange(count) % 7))
    alerts = feed(monitor, values, total=np.where(np.arange(count) < 300, text, text + values), text=text)
    said = [(alert.code, alert.step) for alert in alerts if alert.edge == "fired"]
    assert said == [("total-mismatch", 4), ("sum-scale", 300)]
    assert is_idle(monitor)


def resumed(values, options, **other) -> AudioLossMonitor:
    """A monitor with other options that goes on where one with the first ones was saved."""
    before, after = AudioLossMonitor(100, **options), AudioLossMonitor(100, **other)
    update(before, values)
    after.load_state_dict(json.loads(json.dumps(before.state_dict())))
    return after


@pytest.mark.parametrize("feed", [replay, update])
@pytest.mark.parametrize("count", [500, 2100])
def test_what_is_open_closes_where_the_run_goes_on_as_another_kind_of_series(count, feed):
    """Whether it waits or fires: none of its rules is asked about such a series."""
    values = leaves_chance(10_000, count)
    monitor = resumed(values, {}, kind="small")
    assert not is_idle(monitor)
    feed(monitor, leaves_chance(10_000, 300), first=count)
    assert is_idle(monitor)
    assert [item.resolution for item in monitor.incidents] == ["recovered"] * (count > 2000)


@pytest.mark.parametrize("feed", [replay, update])
def test_what_is_open_closes_where_the_rule_that_opened_it_is_not_chosen_any_more(feed):
    """The other one says nothing without a usual level, and there would be none while something is open."""
    monitor = resumed([4.0, 4.1, 4.0, 4.2, 4.1, 0.05, 0.05], EARLY, select=["log-drop"])
    assert feed(monitor, [0.05 + 0.001 * (step % 7) for step in range(600)], first=7)[0].edge == "recovered"
    assert is_idle(monitor)
    assert monitor.reference == pytest.approx(0.053)


TROUBLE = [0.0, 0.001, 0.02, 0.1, 0.3, 0.79, 1.07, 2.0, 6.0, math.nan, math.inf, -math.inf, MISSING]
LASTING = 45  # low points, in one or several stretches, that may count as what the run had come down to
CODES = [registry.code_of(name) for name in registry.names("rules")]


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    level=st.sampled_from([CHANCE, SUM, 4.0, 0.5, 0.05]),
    before=st.sampled_from([1200, 1990, 2600]),
    troubles=st.lists(st.tuples(st.sampled_from(TROUBLE), st.integers(1, 60), st.integers(1, 90)), max_size=6),
    window=st.sampled_from([1, 10, 100, 400]),
    select=st.none() | st.sets(st.sampled_from(CODES), min_size=1, max_size=4).map(sorted),
    early=st.sampled_from([1000, 2500]),
    mismatch=st.booleans(),
    restart=st.booleans(),
    cut=st.floats(0, 1),
)
def test_after_a_long_healthy_stretch_every_group_is_idle(
    one_by_one, level, before, troubles, window, select, early, mismatch, restart, cut
):
    shares = [np.ones(before)]
    for share, count, healthy in troubles:
        shares += [np.full(count, share), np.ones(healthy)]
    shares += [np.linspace(1, 0.7, 1500), np.full(2500, 0.7)]
    values = np.concatenate(shares)
    usual = level * (1 + 0.001 * (np.arange(len(values)) % 7))
    np.multiply(values, usual, out=values, where=np.isfinite(values))
    steps, text = np.arange(len(values)), np.full(len(values), 2.0)
    if restart:
        steps[before - 100 :] -= 500
    beside = {"text": text, "total": text + np.where(mismatch & (steps < before), 0.0, values)}
    options = {"early-drop": {"steps": early}, "chance-level": {"steps": before - 800}}
    watched, replayed = (AudioLossMonitor(window, select=select, options=options) for _ in range(2))
    live, said = list[str](), list[str]()
    for index, (step, value) in enumerate(zip(steps.tolist(), values.tolist(), strict=True)):
        others = {name: column[index] for name, column in beside.items()}
        live += map(repr, watched.update(value, step, float(step), others))
    place = int(cut * len(values))
    for part in (slice(0, place), slice(place, None)):
        chunk = Series("x", steps[part], values[part], steps[part] * 1.0)
        said += map(repr, replayed.replay(chunk, {name: column[part] for name, column in beside.items()}))
    assert said == live
    assert repr(replayed.state_dict()) == repr(watched.state_dict())
    # A loss that stayed low for long had learnt: back at its old level it has lost that, and this alone stays open.
    lost = [item for item in watched.incidents if item.code == "divergence" and item.resolution is None]
    assert not lost or sum(count for share, count, _ in troubles if share < 1) >= LASTING
    assert is_idle(watched) != bool(lost)
    others = [item for item in watched.incidents if item not in lost and item.code != "sum-scale"]
    assert {item.resolution for item in others} <= {"recovered", "restarted"}
