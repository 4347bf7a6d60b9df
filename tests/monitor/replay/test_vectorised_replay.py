"""What is skipped by the array changes nothing: skipped, watched point by point, or every rule asked at every point."""

from collections.abc import Mapping

import numpy as np
import pytest

from audioloss_cli import AudioLossMonitor, Series
from audioloss_cli.model import MISSING, Point
from audioloss_cli.monitor import machine
from audioloss_cli.monitor.points import beside_at

FAULTS = {
    "collapse": lambda part, rng: part * 0.001,
    "rise": lambda part, rng: part * 6,
    "nan": lambda part, rng: np.full(len(part), np.nan),
    "frozen": lambda part, rng: np.full(len(part), part[0]),
    "zeros": lambda part, rng: part * (rng.random(len(part)) > 0.3),
    "missing": lambda part, rng: np.full(len(part), MISSING),
    "drop": lambda part, rng: part * 0.2,
}


def made_up(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a series with up to three faults, at any cadence, with restarts."""
    count, level = int(rng.integers(50, 1500)), rng.choice([4.0, 6.93, 0.05, 55.4])
    values = level * np.exp(rng.normal(0, rng.choice([0.0, 0.02, 0.1, 0.3]), count))
    values *= np.linspace(1, rng.choice([1.0, 0.5, 0.01]), count)
    for name in rng.choice(list(FAULTS), int(rng.integers(0, 4))):
        begin = int(rng.integers(0, count))
        part = slice(begin, begin + int(rng.integers(1, 300)))
        values[part] = FAULTS[name](values[part], rng)
    steps = np.arange(count) * int(rng.choice([1, 1, 5, 50]))
    if rng.random() < 0.3:
        steps = np.cumsum(rng.integers(0, 4, count))
    if rng.random() < 0.2:
        cut = int(rng.integers(0, count))
        steps[cut:] -= steps[cut] // 2
    return steps.astype(np.int64), values


def beside(steps: np.ndarray, values: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Some other series of the run."""
    columns: dict[str, np.ndarray] = {}
    if rng.random() < 0.5:
        columns["epoch"] = steps / (steps.max() / 3 + 1)
        columns["grad_norm"] = np.where(rng.random(len(steps)) < 0.01, np.nan, 1.0)
    if rng.random() < 0.3:
        columns |= {f"codebook/{number}": values * 1.1**number for number in range(4)}
        columns["codebook"] = np.full(len(steps), 1.0)
    if rng.random() < 0.3:
        columns |= {"text": np.ones(len(steps)), "total": 1 + values * (rng.random() < 0.5)}
    return columns


def watched(monitor: AudioLossMonitor, steps: list[int], values: list[float], columns: Mapping[str, list]) -> list[str]:
    points = zip(steps, values, strict=True)
    advance = monitor._machine.advance
    return [
        repr(alert)
        for index, (step, value) in enumerate(points)
        for alert in advance(Point(step, value, 0.0, beside_at(columns, index)))
    ]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(40))
def test_skipping_changes_nothing(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    steps, values = made_up(rng)
    columns = beside(steps, values, rng)
    plain = {name: column.tolist() for name, column in columns.items()}
    window = int(rng.choice([1, 10, 100, 500]))
    one, all_asked, skipping = (AudioLossMonitor(window) for _ in range(3))
    expected = watched(one, steps.tolist(), values.tolist(), plain)
    monkeypatch.setattr(all_asked._machine, "_is_inactive_at", lambda point: False)
    monkeypatch.setattr(all_asked._machine.unchanged, "takes", lambda point: False)
    for group in all_asked._machine.groups:
        monkeypatch.setattr(group, "_to_ask", lambda value, history, group=group: group._rules)
    all_asked._machine.settle()
    assert watched(all_asked, steps.tolist(), values.tolist(), plain) == expected
    assert repr(all_asked.state_dict()) == repr(one.state_dict())
    monkeypatch.setattr(machine, "POINTS_WORTH_ARRAYS", 1)
    monkeypatch.setattr(machine, "POINTS_WORTH_IMPORTING", 1)
    cut = int(rng.integers(0, len(steps)))
    actual = []
    for part in (slice(0, cut), slice(cut, None)):
        chunk = Series("x", steps[part], values[part], np.zeros(len(steps[part])))
        actual += map(repr, skipping.replay(chunk, {name: column[part] for name, column in columns.items()}))
    assert actual == expected
    assert repr(skipping.state_dict()) == repr(one.state_dict())


def test_what_was_logged_beside_an_earlier_chunk_may_be_missing_beside_a_later_one():
    values, steps, monitor = 4 + 0.01 * (np.arange(1200) % 7), np.arange(1200), AudioLossMonitor()
    first = Series("loss", steps[:600], values[:600], steps[:600] * 1.0)
    assert not monitor.replay(first, {"total": values[:600] + 2, "text": np.full(600, 2.0)})
    assert not monitor.replay(Series("loss", steps[600:], values[600:], steps[600:] * 1.0))
    assert monitor.diagnostics()["points"] == 1200


@pytest.mark.parametrize("ulps", range(-3, 4))
def test_a_drop_to_just_the_level_that_counts_is_seen_either_way(ulps):
    """``intermittent-zeros`` holds at 2 % of what is usual, and its inactive range begin there."""
    live, replayed = (AudioLossMonitor(select=["intermittent-zeros"]) for _ in range(2))
    values, alerts = list[float](), list[object]()
    for step in range(3000):
        usual = live.diagnostics()["reference"] if step > 1000 and step % 30 == 11 else None
        values.append(4 + 0.01 * (step % 7) if usual is None else 0.02 * usual * (1 + ulps * 2.0**-52))
        alerts += live.update(values[-1], step, float(step))
    steps = np.arange(len(values))
    assert repr(replayed.replay(Series("loss", steps, np.array(values), steps * 1.0))) == repr(alerts)
    assert bool(alerts) is (ulps <= 0)
