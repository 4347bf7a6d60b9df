"""A noisy loss around a threshold for good is counted by the array, and nothing comes out differently for it."""

import json
import math

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Series
from audioloss_cli.monitor import machine
from audioloss_cli.monitor.replay.chronic_incident import ChronicIncident
from tests.effort import exhaustive
from tests.monitor.replay.test_stable_incident import hold_together

POINTS = 4000
CHRONIC = {
    "around the first": (0.010, 0.3),
    "around both": (0.007, 0.5),
    "below the first, at times": (0.014, 0.2),
    "below the second, at times": (0.0085, 0.25),
    "hardly ever above": (0.006, 0.2),
}


@pytest.fixture(autouse=True)
def counted(monkeypatch) -> list[int]:
    """Every chunk by the array; gives how many points each chronic stretch had."""
    monkeypatch.setattr(machine, "POINTS_WORTH_ARRAYS", 1)
    monkeypatch.setattr(machine, "POINTS_WORTH_IMPORTING", 1)
    skip, found = ChronicIncident.skip, list[int]()

    def watched(self, start):
        count, alerts = skip(self, start)
        found.append(count)
        return count, alerts

    monkeypatch.setattr(ChronicIncident, "skip", watched)
    return found


def chronic(name, rng, count=POINTS):
    level, noise = CHRONIC[name]
    return level * np.exp(rng.normal(0, noise, count))


@pytest.mark.parametrize("onset", [0, 1500])
@pytest.mark.parametrize("name", CHRONIC)
def test_a_noisy_loss_around_the_thresholds(name, onset):
    rng = np.random.default_rng(len(name))
    values = np.concatenate([4.0 * np.exp(rng.normal(0, 0.04, onset)), chronic(name, rng)])
    hold_together(np.arange(len(values)), values, sorted(rng.integers(0, len(values), 3).tolist()))


@pytest.mark.parametrize("seed", [*range(12), *exhaustive(*range(12, 200))])
def test_made_up_series_around_the_thresholds(seed):
    """Healthy windows, escalations, zeros, numbers that are none, repeats, restarts and what is logged anew between."""
    rng = np.random.default_rng(seed)
    parts = [4.0 * np.exp(rng.normal(0, 0.05, int(rng.integers(0, 1500))))] if rng.random() < 0.5 else []
    for name in rng.choice([*CHRONIC], int(rng.integers(1, 4))):
        parts.append(chronic(name, rng, int(rng.integers(100, 1500))))
        parts.append(rng.choice([0.03, 0.006, 0.0, 4.0, math.nan]) * np.ones(int(rng.integers(0, 150))))
    values = np.concatenate(parts)
    if rng.random() < 0.4:
        values[rng.random(len(values)) < 0.003] = rng.choice([0.0, math.nan, math.inf, 3.0, -1.0])
    steps = np.arange(len(values)) * int(rng.choice([1, 1, 4, 30]))
    if rng.random() < 0.3:
        steps = np.cumsum(rng.integers(0, 4, len(values)))
    if rng.random() < 0.2:
        steps[len(steps) // 2 :] -= steps[len(steps) // 3]
    columns = {"grad_norm": np.ones(len(steps)), "epoch": steps / (steps.max() + 1)} if rng.random() < 0.3 else {}
    cuts = sorted(rng.integers(0, len(values), int(rng.integers(0, 4))).tolist())
    adaptive = bool(rng.random() < 0.7)
    hold_together(steps, values, cuts, columns, window_size=int(rng.choice([1, 5, 30, 100, 800])), adaptive=adaptive)


@pytest.mark.parametrize("onset", [0, 1500])
@pytest.mark.parametrize("name", ["around both", "hardly ever above", "below the second, at times"])
def test_most_points_are_counted(name, onset, counted):
    """A bound of work: what the tests above compare is not the state machine with itself, nor does it take as long."""
    rng = np.random.default_rng(0)
    values = np.concatenate([4.0 * np.exp(rng.normal(0, 0.04, onset)), chronic(name, rng, 20_000)])
    AudioLossMonitor().replay(Series("x", np.arange(len(values)), values))
    assert sum(counted) > 0.9 * 20_000
    assert sum(map(bool, counted)) < 250


LOOK_BACK = {"a quarter": (0.25, 0.05), "noisy": (0.25, 0.15), "1.5 times": (1.5, 0.05), "noisy rise": (1.5, 0.1)}


@pytest.mark.parametrize("name", LOOK_BACK)
def test_around_the_bounds_of_rules_that_look_back(name, counted):
    level, noise = LOOK_BACK[name]
    rng = np.random.default_rng(3)
    values = 4.0 * np.exp(rng.normal(0, 0.05, 6000))
    values[1500:] *= level * np.exp(rng.normal(0, noise, 4500))
    values[4000:4012] = 4.0  # not enough of it to be over, or just
    hold_together(np.arange(len(values)), values, [2100])
    assert sum(counted) > 0.7 * 4500


@pytest.mark.parametrize("seed", [*range(3), *exhaustive(*range(3, 100))])
def test_made_up_series_around_the_bounds_of_rules_that_look_back(seed):
    rng = np.random.default_rng(seed)
    values = (4.0 + rng.choice([0.0, 3.0]) / np.sqrt(1 + np.arange(4000) / 200)) * np.exp(rng.normal(0, 0.05, 4000))
    factors = rng.choice([0.25, 0.4, 0.5, 1.3, 1.5, 2.0, 0.0005]) * np.exp(rng.normal(0, rng.choice([0.05, 0.3]), 3000))
    period = int(rng.choice([37, 200, 500]))
    shown = (
        (np.arange(3000) // period % 2 == 0) if rng.random() < 0.5 else rng.random(3000) < rng.choice([0.05, 0.9, 1])
    )
    values[1000:] *= np.where(shown, factors, 1.0)
    steps = np.arange(4000) * int(rng.choice([1, 1, 5, 100]))
    hold_together(steps, values, sorted(rng.integers(0, 4000, 2).tolist()))


@pytest.mark.parametrize("cut", [700, 2600])
def test_a_state_taken_in_the_middle_is_replayed_from_as_it_would_be_watched(cut):
    values = chronic("around both", np.random.default_rng(5))
    first, replayed, watched = (AudioLossMonitor() for _ in range(3))
    first.replay(Series("x", np.arange(cut), values[:cut]))
    for monitor in (replayed, watched):
        monitor.load_state_dict(json.loads(json.dumps(first.state_dict())))
    alerts = replayed.replay(Series("x", np.arange(cut, POINTS), values[cut:]))
    live = [alert for step in range(cut, POINTS) for alert in watched.update(values[step], step, math.nan)]
    assert repr(alerts) == repr(live)
    assert live
