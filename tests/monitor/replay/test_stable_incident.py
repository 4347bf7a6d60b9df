"""Long stretches of trouble are skipped by the array, and nothing comes out differently for it."""

import json
import math

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Series
from audioloss_cli.model import MISSING
from audioloss_cli.monitor import machine
from audioloss_cli.monitor.points import beside_at
from audioloss_cli.monitor.replay.chronic_incident import ChronicIncident
from audioloss_cli.monitor.replay.stable_incident import StableIncident
from tests.effort import combinations, exhaustive

POINTS, ONSET, BACK = 4000, 700, 3000
TROUBLE = {
    "collapsed": lambda part: part * 0.0004,
    "dropped": lambda part: part * 0.1,
    "raised": lambda part: part * 3.4,
    "nan": lambda part: np.full(len(part), np.nan),
    "infinite": lambda part: np.full(len(part), np.inf),
    "missing": lambda part: np.full(len(part), MISSING),
    "zero": lambda part: np.zeros(len(part)),
    "frozen": lambda part: np.full(len(part), part[0]),
    "frozen and low": lambda part: np.full(len(part), 0.003),
    "at times zero": lambda part: np.where(np.arange(len(part)) % 9, part, 0.0),
    "nan at times": lambda part: np.where(np.arange(len(part)) % 400, part * 0.001, np.nan),
}


@pytest.fixture(autouse=True)
def steady(monkeypatch) -> list[int]:
    """Every chunk by the array; gives how many points each stretch had, stable or chronic: either may be the first."""
    monkeypatch.setattr(machine, "POINTS_WORTH_ARRAYS", 1)
    monkeypatch.setattr(machine, "POINTS_WORTH_IMPORTING", 1)
    found = list[int]()
    for kind in (StableIncident, ChronicIncident):
        skip = kind.skip

        def watched(self, start, skip=skip):
            count, alerts = skip(self, start)
            found.append(count)
            return count, alerts

        monkeypatch.setattr(kind, "skip", watched)
    return found


def hold_together(steps, values, cuts, columns=None, **options) -> None:
    """``update`` and ``replay`` in chunks: the same alerts and the same state after each chunk."""
    one, other, columns = AudioLossMonitor(**options), AudioLossMonitor(**options), columns or {}
    times, plain = np.arange(len(steps)) * 2.0, {name: column.tolist() for name, column in columns.items()}
    for start, end in zip([0, *cuts], [*cuts, len(steps)], strict=True):
        chunk = Series("x", steps[start:end], values[start:end], times[start:end])
        actual = other.replay(chunk, {name: column[start:end] for name, column in columns.items()})
        expected = [
            alert
            for index in range(start, end)
            for alert in one.update(
                float(values[index]), int(steps[index]), float(times[index]), beside_at(plain, index)
            )
        ]
        assert list(map(repr, actual)) == list(map(repr, expected))
        assert repr(other.state_dict()) == repr(one.state_dict())
    assert repr(other.finish()) == repr(one.finish())


@pytest.mark.parametrize(
    ("window", "stride"), combinations([1, 100, 5000], [1, 10, 100], each_time=[(1, 10), (100, 1), (5000, 100)])
)
@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_that_comes_and_goes(trouble, window, stride):
    rng = np.random.default_rng(len(trouble) + window + stride)
    values = 4.0 * np.exp(rng.normal(0, 0.04, POINTS))
    values[ONSET:BACK] = TROUBLE[trouble](values[ONSET:BACK])
    cuts = sorted(rng.integers(0, POINTS, 3).tolist())
    hold_together(np.arange(POINTS) * stride, values, cuts, window_size=window)


@pytest.mark.parametrize("trouble", ["collapsed", "dropped", "raised", "nan", "infinite", "missing", "zero"])
def test_most_of_a_long_trouble_is_skipped(trouble, steady):
    """What the tests above compare is not the state machine with itself."""
    values = 4.0 * np.exp(np.random.default_rng(0).normal(0, 0.02, POINTS))
    values[ONSET:] = TROUBLE[trouble](values[ONSET:])
    AudioLossMonitor().replay(Series("x", np.arange(POINTS), values))
    assert sum(steady) > 0.7 * (POINTS - ONSET)


@pytest.mark.parametrize("seed", [*range(8), *exhaustive(*range(8, 30))])
def test_made_up_series_of_many_stretches(seed):
    rng = np.random.default_rng(seed)
    parts, level = [], rng.choice([4.0, 6.93, 0.05, 55.4, -1.0])
    for name in rng.choice(["healthy", *TROUBLE], int(rng.integers(2, 6))):
        part = level * np.exp(rng.normal(0, rng.choice([0.0, 0.005, 0.05, 0.2]), int(rng.integers(50, 1200))))
        parts.append(TROUBLE[name](part) if name in TROUBLE else part * rng.choice([0.3, 1.0, 1.0, 1.7]))
    values = np.concatenate(parts)
    steps = np.arange(len(values)) * int(rng.choice([1, 3, 10, 50]))
    if seed % 3 == 0:  # some steps are left out
        steps = steps + np.cumsum(rng.random(len(values)) < 0.003)
    if seed % 5 == 0:
        steps[len(steps) // 2 :] -= steps[len(steps) // 3]
    columns = {"epoch": steps / (steps.max() / 3 + 1), "grad_norm": np.ones(len(steps))} if seed % 4 == 0 else {}
    cuts = sorted(rng.integers(0, len(values), 2).tolist())
    options = {"options": {"chance-level": {"steps": 500}}} if seed % 2 else {}
    hold_together(steps, values, cuts, columns, window_size=int(rng.choice([1, 10, 100, 3000])), **options)


@pytest.mark.parametrize("trouble", ["collapsed", "raised", "nan"])
@pytest.mark.parametrize("cut", [ONSET + 30, ONSET + 400])
def test_a_state_taken_in_trouble_is_replayed_from_as_it_would_be_watched(trouble, cut):
    """Of the last point a monitor that was loaded knows nothing but what is in the state."""
    values = 4.0 * np.exp(np.random.default_rng(0).normal(0, 0.02, POINTS))
    values[ONSET:] = TROUBLE[trouble](values[ONSET:])
    first, replayed, watched = (AudioLossMonitor() for _ in range(3))
    first.replay(Series("x", np.arange(cut), values[:cut]))
    for monitor in (replayed, watched):
        monitor.load_state_dict(json.loads(json.dumps(first.state_dict())))
    alerts = replayed.replay(Series("x", np.arange(cut, POINTS), values[cut:]))
    live = [alert for step in range(cut, POINTS) for alert in watched.update(values[step], step, math.nan)]
    assert repr(alerts) == repr(live)
    assert live
