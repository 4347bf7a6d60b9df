"""While something waits and each point says what the last one said, only counts change, and nothing else is missed."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor
from audioloss_cli.model import MISSING, Point, Series, SeriesHistory, Severity
from audioloss_cli.monitor import machine
from audioloss_cli.monitor.lifecycle import recovery
from audioloss_cli.monitor.lifecycle.unchanged_range import UnchangedRange
from tests.effort import examples
from tests.monitor.toys import Toy, watched_by

CHANCE = math.log(1026)
HELD = {f"codebook/{number}": 4.0 for number in range(4)}
BESIDE: list[dict[str, float]] = [
    {},
    {"grad_norm": 1.0},
    {"total": 9.0, "text": 2.0},
    {"total": 2.0, "text": 2.0},
    {"total": math.nan, "text": 2.0},
    {**HELD, "codebook": 0.0},
    {**HELD, "codebook/0": CHANCE, "codebook": 0.0},
    {"epoch": 1.0},
]
NAMES = {name for beside in BESIDE for name in beside}
# As shares of the level of guessing: within and without what chance-level and early-drop take for the same.
SHARES = [1.04, 1.06, 1.06, 1.4, 2.5, 0.97, 0.81, 0.79, 0.3, 0.02, 0.001, 0.0, -1.0]
NO_NUMBERS = [math.nan, math.inf, -math.inf, MISSING]
DEEDS = ["", "", "", "save", "attempt", "finish", "restart"]
STRIDES = [1, 1, 1, 1, 1, 2, 0, 10, 40, 600, -1, -400]


@dataclass
class Spanned(Toy):
    """Holds within its bounds, says nothing from there up to below ``mute``, and says where."""

    bounds: tuple[float, float] = (0.0, 0.0)
    mute: float = 0.0
    lasting: bool = False
    spanned: bool = True

    def holds(self, point: Point, history: SeriesHistory) -> bool | None:
        low, high = self.bounds
        return None if high <= point.value < self.mute else low <= point.value < high

    def clears(self, point: Point, history: SeriesHistory) -> bool:
        return not self.lasting

    def span(self, history: SeriesHistory, *, holding: bool) -> tuple[float, float] | None:
        if not self.spanned:
            return None
        return self.bounds if holding else (self.bounds[1], math.inf)


@pytest.fixture(autouse=True)
def _at_one_time_and_by_the_array(monkeypatch):
    """Attempts at recovery bear the time; chunks here are short."""
    monkeypatch.setattr(machine, "POINTS_WORTH_ARRAYS", 1)
    monkeypatch.setattr(machine, "POINTS_WORTH_IMPORTING", 1)
    monkeypatch.setattr(recovery, "time", SimpleNamespace(time=lambda: 0.0))


class Pair:
    """A monitor, and one without unchanged ranges: each step is taken by both and must leave the same behind."""

    def __init__(self, make) -> None:
        self.make, self.step, self.number = make, 0, 0
        self.put(make(), make())

    def put(self, one: AudioLossMonitor, other: AudioLossMonitor) -> None:
        other._machine.unchanged.takes = lambda point: False  # type: ignore[method-assign]
        self.both = (one, other)

    def same(self, done: Iterable[Any]) -> None:
        one, other = done
        assert repr(one) == repr(other)  # NaN equals itself in print
        assert repr(self.both[0].state_dict()) == repr(self.both[1].state_dict())
        assert repr(self.both[0].incidents) == repr(self.both[1].incidents)

    def update(self, value: float, stride: int, beside: dict[str, float]) -> None:
        self.step, self.number = self.step + stride, self.number + 1
        self.same([monitor.update(value, self.step, float(self.number), beside) for monitor in self.both])

    def replay(self, values: list[float], stride: int, beside: dict[str, float]) -> None:
        """By the array, which needs to know what the points before have left."""
        steps = [self.step + stride * (1 + index) for index in range(len(values))]
        times = np.arange(len(values)) + 1.0 + self.number
        columns = {name: np.full(len(values), beside.get(name, MISSING)) for name in NAMES}
        series = Series("x", np.array(steps, np.int64), np.array(values), times)
        self.step, self.number = steps[-1], self.number + len(values)
        self.same([monitor.replay(series, columns) for monitor in self.both])

    def do(self, deed: str) -> None:
        """What comes between two points."""
        if deed == "save":
            states = [json.loads(json.dumps(monitor.state_dict())) for monitor in self.both]
            self.put(self.make(), self.make())
            for monitor, state in zip(self.both, states, strict=True):
                monitor.load_state_dict(state)
        elif deed == "attempt":
            self.same([monitor.record_recovery_attempt(self.step, "wait") for monitor in self.both])
        elif deed == "finish":
            self.same([monitor.finish() for monitor in self.both])
        elif deed == "restart":
            self.same([monitor.restart() for monitor in self.both])


def go(pair: Pair, choose: Random, level: float, odds: Sequence[float]) -> None:
    """Stretches at a level, or an odd one, with noise, and something odd at every so many points."""
    beside: dict[str, float] = {}
    for _ in range(choose.randint(1, 7)):
        pair.do(choose.choice(DEEDS))
        stride, spread = choose.choice(STRIDES), choose.choice([0.0, 0.003, 0.003, 0.03])
        every, odd = choose.choice([1, 2, 7, 40, 1000]), choose.choices(odds, k=choose.randint(1, 3))
        base = choose.choice([level, level, level, choose.choice(odds)])
        beside = choose.choice([*BESIDE, *[beside] * 8])
        values = [
            odd[index % len(odd)] if index % every == every - 1 else base * (1 + choose.gauss(0, spread))
            for index in range(choose.choice([1, 5, 30, 80]))
        ]
        if choose.random() < 0.2:
            pair.replay(values, max(stride, 0), beside)
            continue
        for index, value in enumerate(values):
            pair.update(value, 1 if index and stride < 0 else stride, beside)


SEEDS = st.integers(0, 1 << 32).map(Random)


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEEDS)
def test_with_and_without_lulls_all_comes_out_the_same(choose):
    steps = choose.choice([60, 150, 2000])
    options = {name: {"steps": steps} for name in ("chance-level", "codebook-apart")}
    options["early-drop"] = {"steps": choose.choice([10, 60, 1000])}
    window, level = choose.choice([1, 50]), CHANCE * choose.choice([1.0, 1.0, 8.0, 0.6])
    pair = Pair(lambda: AudioLossMonitor(window, options=options))
    for _ in range(choose.choice([0, 30, 60])):
        pair.update(level * (1 + 0.001 * (pair.number % 7)), 1, {})
    go(pair, choose, level, [*(share * level for share in SHARES), *NO_NUMBERS, 1e308])


TOYS = st.builds(
    Spanned,
    st.just(""),
    st.none(),
    bounds=st.sampled_from([(0.0, 1.0), (0.0, 3.0), (1.0, 4.0), (2.0, 3.0), (2.0, 5.0), (4.0, 5.0), (4.0, 9.0)]),
    mute=st.sampled_from([0.0, 2.7, 6.0]),
    lasting=st.booleans(),
    spanned=st.sampled_from([True, True, False]),
    severity=st.sampled_from(list(Severity)),
    group=st.sampled_from(["toys", "games", "high-loss"]),
    for_steps=st.sampled_from([1, 30, 90]),
    for_points=st.sampled_from([1, 5, 40]),
)


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TOYS, min_size=1, max_size=4), SEEDS)
def test_so_it_does_with_any_rules_that_share_incidents(toys, choose):
    for number, toy in enumerate(toys):
        toy.name = f"toy_{number}"
    pair = Pair(lambda: watched_by(*toys, "loss_spike", "total_mismatch", "non_finite_loss", window_size=20))
    for _ in range(60):
        pair.update(2.5 + 0.01 * (pair.number % 7), 1, {})
    go(pair, choose, 2.5, [0.5, 1.5, 2.9, 2.9, 3.5, 4.5, 5.5, 7.0, *NO_NUMBERS])


def test_what_waits_may_keep_values_from_what_is_usual():
    """Where its group has rules that depend on that; so it does at points that are only counted, too."""
    toy = Spanned("toy", None, group="high-loss", for_steps=200, bounds=(4.0, 9.0), mute=0.0)
    pair = Pair(lambda: watched_by(toy, "loss_spike"))
    for _ in range(200):
        pair.update((2.5 if pair.number < 60 else 4.5) + 0.01 * (pair.number % 7), 1, {})


def test_a_rule_that_held_and_says_nothing_now_may_be_over_at_the_next_point():
    often = Spanned("often", None, for_steps=500, bounds=(0.0, 3.0))
    seldom = Spanned("seldom", None, for_steps=500, bounds=(0.0, 1.0), mute=2.7)
    pair = Pair(lambda: watched_by(often, seldom, "loss_spike"))
    for number in range(200):
        pair.update({40: 0.5, 41: 2.5}.get(number % 50, 2.9) + 0.001 * (number % 7), 1, {})


@pytest.fixture
def taken(monkeypatch) -> list[bool]:
    """Of each point at which something was awake, whether it lay in an unchanged range."""
    takes, found = UnchangedRange.takes, list[bool]()

    def watched(self, point):
        found.append(takes(self, point))
        return found[-1]

    monkeypatch.setattr(UnchangedRange, "takes", watched)
    return found


def test_a_loss_that_stays_at_chance_is_a_lull_until_the_rule_has_waited(taken):
    monitor, rng = AudioLossMonitor(), np.random.default_rng(0)
    said = [
        (alert.code, step)
        for step, noise in enumerate(rng.normal(0, 0.02, 2100))
        for alert in monitor.update(CHANCE + noise, step)
    ]
    assert said[0][0] == "chance-level"
    assert sum(taken) > 0.9 * said[0][1]


def test_so_is_the_start_of_a_loss_that_falls(taken):
    """Nothing is open, and that it falls early is not asked at every point; beside a total loss that is asked."""
    monitor, rng = AudioLossMonitor(), np.random.default_rng(0)
    for step, noise in enumerate(rng.normal(0, 0.02, 900)):
        assert not monitor.update(5 - step / 500 + noise, step, beside={"text": 1.0, "total": 6.0})
    assert sum(taken) > 0.9 * 900


def test_points_may_follow_the_end():
    """What was open then is over, and what was frozen for it is not frozen any more."""
    one, other = AudioLossMonitor(), AudioLossMonitor()
    for monitor in (one, other):
        for step in range(200):
            monitor.update(4 + 0.01 * (step % 7) if step < 150 else 0.2, step, 0.0)
        monitor.finish()
    other.load_state_dict(one.state_dict())
    for step in range(200, 300):
        assert repr(one.update(4 + 0.01 * (step % 7), step, 0.0)) == repr(
            other.update(4 + 0.01 * (step % 7), step, 0.0)
        )
        assert repr(one.state_dict()) == repr(other.state_dict())
