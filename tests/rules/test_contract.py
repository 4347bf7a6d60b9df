"""What every rule promises."""

import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor, Limits, Severity, registry
from audioloss_cli.model import MISSING, Alert, InactiveRange, LossRule, Point, RuleText
from audioloss_cli.model.alert import ALERT_TYPES
from audioloss_cli.monitor import ruleset
from audioloss_cli.monitor.history.series_history import SeriesHistory
from audioloss_cli.monitor.points import MANY_REPEATS
from audioloss_cli.monitor.replay.stable_incident import MEMORY
from tests.effort import examples

RULES = registry.names("rules")
LIMITS = Limits()
VALUES = [
    0.0,
    -1.0,
    0.004,
    0.005,
    0.007,
    0.01,
    3.0,
    sys.float_info.max,
    -sys.float_info.max,
    math.nan,
    math.inf,
    -math.inf,
    MISSING,
]

HEALTHY = [4.0 + 0.01 * (step % 7) for step in range(700)]
AT_CHANCE = [6.93 + 0.001 * (step % 7) for step in range(2500)]
BESIDE = Mapping[str, float]

# What makes a rule fire, for one that no constant series does, or to pin it down: a loss a step, one entry a rule.
FIRES: dict[str, list[float]] = {
    "back_to_chance": [6.93, 6.92, 6.94, 6.93, 6.92, *HEALTHY, *(6.93 + 0.01 * (step % 7) for step in range(8))],
    "chance_level": AT_CHANCE,
    "codebooks_low": [4.0, 3.9, 3.8, 3.7, 3.6, *[0.05, 0.051] * 5],
    "codebook_apart": AT_CHANCE,
    "codebook_missing": HEALTHY,
    "divergence": [*HEALTHY, *(8.0 + 0.01 * (step % 7) for step in range(400))],
    "early_drop": [4.0, 3.9, 3.8, 3.7, 3.6, 0.1, 0.1],
    "epoch_drop": [*HEALTHY, *[1.5] * 10],
    "intermittent_zeros": [*HEALTHY, *[0.001, 4.0] * 3],
    "log_drop": [*HEALTHY, *[0.5] * 10],
    "loss_spike": [*HEALTHY, *[24.0] * 3],
    "masked_nan": [4.0, 0.0],
    "no_gradient": HEALTHY * 3,
    "repeated_losses": [4.0 + 0.01 * (step * step % 50) for step in range(50)] * 4,
    "series_ends_early": HEALTHY,
    "signed_rise": [*(-4.0 + 0.01 * (step % 7) for step in range(700)), *[30.0] * 5],
    "sum_scale": [55.4] * 5,
    "sustained_low_loss": [0.007 + 1e-5 * (step % 7) for step in range(LIMITS.window_size)],
    "total_mismatch": HEALTHY,
    "vanished_loss": [1e-9 + 1e-11 * (step % 7) for step in range(9)],
}
# What is logged beside the loss at a step, for the rules that compare.
OTHERS: dict[str, Callable[[int], BESIDE]] = {
    "codebook_apart": lambda step: {"codebook": 3, "codebook/3": 6.93, **{f"codebook/{k}": 4.0 for k in range(3)}},
    "codebooks_low": lambda step: {"codebook": 0, **{f"codebook/{k}": 0.05 if step > 4 else 4.0 for k in range(3)}},
    "codebook_missing": lambda step: {"codebook": 0, **{f"codebook/{k}": 4.0 for k in range(3 if step > 9 else 4)}},
    "epoch_drop": lambda step: {"epoch": step / 700},
    "masked_nan": lambda step: {"grad_norm": math.nan if step else 1.0},
    "no_gradient": lambda step: {"grad_norm": math.nan if step > 700 else 1.0},
    "total_mismatch": lambda step: {"text": 2.0, "total": 2.0},
}


def make(name: str) -> LossRule:
    rule: LossRule = registry.load("rules", name).Rule(LIMITS)
    return rule


@pytest.mark.parametrize("name", RULES)
def test_its_docstring_says_what_why_and_fix(name):
    text = RuleText.of(registry.load("rules", name))
    for part in (text.title, text.what, text.why, text.fix):
        assert part[0].isupper()
        assert part.endswith(".")


@pytest.mark.parametrize("name", RULES)
def test_it_declares_itself(name):
    rule = make(name)
    assert rule.severity in Severity
    assert rule.type
    assert rule.group
    assert rule.for_steps >= 1
    assert rule.for_points >= 1


@pytest.mark.parametrize("name", RULES)
@given(
    values=st.lists(st.floats() | st.sampled_from(VALUES) | st.floats(0.5, 8), min_size=1, max_size=60),
    stride=st.sampled_from([1, 4, 50]),
)
def test_it_answers_for_any_value_and_is_quiet_where_it_says(name, values, stride):
    rule, history = make(name), SeriesHistory(LIMITS, None, "")
    others = OTHERS.get(name, lambda step: {})
    for step, value in enumerate(values):
        point = Point(step * stride, value, 0.0, others(step))
        history.baseline.turn(point.step)
        history.take(point)
        verdict = rule.holds(point, history)
        assert verdict in (True, False, None)
        if not math.isfinite(value) and rule.numbers_only:
            assert verdict is None
        if (
            verdict
            and rule.inactive is not None
            and not rule.is_inactive(history)
            and (rule.inactive or history.repeats < MANY_REPEATS)
        ):
            low, high = InactiveRange.all_of(rule.inactive).interval(history.reference, history.level, history.start)
            assert not low <= value < high
        assert rule.clears(point, history) in (True, False)
        assert not rule.worse(value, value)
        assert rule.explain(point, history, point.step, 1)
        if math.isfinite(value):
            history.baseline.fold(point.step, value)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=examples(40))
@given(
    early=st.lists(st.floats(0, 12), max_size=20),
    stride=st.sampled_from([1, 4, 50]),
    level=st.sampled_from([4.0, 0.3, 0.02]),
    place=st.integers(0, 8),
    chance=st.randoms(use_true_random=False),
)
def test_between_its_levels_it_says_the_same_of_every_value(name, early, stride, level, place, chance):
    """After as many values there as a rule can look back on; what was before them does not matter."""
    rule, history, others = make(name), SeriesHistory(LIMITS, None, ""), OTHERS.get(name, lambda step: {})
    for step, value in enumerate([*(level * (1 + 0.01 * (step % 7)) for step in range(400)), *early]):
        history.baseline.turn(step * stride)
        history.take(Point(step * stride, value, 0.0, others(step)))
        history.fold(step * stride, value)
    step, verdicts = 1000, set()
    for number in range(MEMORY + 40):
        levels = rule.levels(history)
        if levels is None:
            value = level  # more matters now than between which levels the values lie
            verdicts.clear()
        else:
            bounds = [-1.0, *sorted(set(levels)), 100.0]
            low, high = list(pairwise(bounds))[place % (len(bounds) - 1)]
            value = chance.choice([low, (low + high) / 2, math.nextafter(high, low)]) if low < high else low
        point = Point((step + number) * stride, value, 0.0, others(step + number))
        history.take(point)
        if number >= MEMORY and rule.levels(history) is not None and history.repeats < MANY_REPEATS:
            verdicts.add((rule.holds(point, history), rule.clears(point, history)))
    assert len(verdicts) <= 1


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=examples(40))
@given(
    early=st.lists(st.sampled_from([0.0, 0.01, 0.3, 1.0, 4.0, 9.0]), max_size=20),
    stride=st.sampled_from([1, 4, 50]),
    level=st.sampled_from([4.0, 0.3]),
    choose=st.integers(0, 1 << 32).map(Random),
)
def test_what_does_not_hold_looks_back_no_further_than_its_memory(name, early, stride, level, choose):
    rule, history, others = make(name), SeriesHistory(LIMITS, "ce", ""), OTHERS.get(name, lambda step: {})
    values = [level * (1 + 0.01 * (step % 7)) for step in range(1400)]
    for step, value in enumerate(values):
        history.baseline.turn(step * stride)
        history.take(Point(step * stride, value, 0.0, others(step)))
        history.fold(step * stride, value)
    levels, memory = rule.levels(history), rule.memory(history)
    if levels is None:
        return
    low, high = choose.choice(list(pairwise([-1.0, *sorted(set(levels)), 100.0])))
    inside = (choose.uniform(low, high) for _ in range(memory + 20))
    verdicts = set()
    for number, value in enumerate([*early, *inside]):
        step = (1400 + number) * stride
        history.take(Point(step, value, 0.0, others(step)))
        if rule.levels(history) is None or rule.holds(history.points[-1], history):
            return  # one that has held is asked further back
        if number >= len(early) + memory - 1:
            verdicts.add(rule.holds(history.points[-1], history))
    assert len(verdicts) == 1


@pytest.mark.parametrize("name", [name for name in RULES if type(make(name)).keeps is not LossRule.keeps])
@settings(max_examples=examples(40))
@given(
    noise=st.sampled_from([0.02, 0.15, 0.5]),
    stride=st.sampled_from([1, 4, 50]),
    factor=st.sampled_from([0.1, 0.25, 0.4, 0.5, 1.0, 1.3, 1.6, 2.0, 4.0]),
    choose=st.integers(0, 1 << 32).map(Random),
)
def test_what_keeps_on_is_not_over(name, noise, stride, factor, choose):
    rule, history = make(name), SeriesHistory(LIMITS, "ce", "")
    for step in range(1400):
        value = 4 * math.exp(choose.gauss(0, noise))
        history.baseline.turn(step * stride)
        history.take(Point(step * stride, value, 0.0, {}))
        history.fold(step * stride, value)
    keeps = rule.keeps(history)
    assert keeps is not None
    low, high, width = keeps
    for number in range(100):
        point = Point((1400 + number) * stride, 4 * factor * math.exp(choose.gauss(0, noise)), 0.0, {})
        history.take(point)
        if 2 * sum(low <= value < high for value in history.last(width)) > width:
            assert not rule.clears(point, history)
        assert rule.holds(point, history) is not None


def usual(history: SeriesHistory) -> tuple[object, ...]:
    """What spans depend on."""
    return (
        history.kind,
        history.reference,
        history.spread,
        history.lowest,
        history.start,
        tuple(history.first),
        history.names,
    )


@pytest.mark.parametrize("name", RULES)
@given(
    level=st.sampled_from([math.log(1026), math.log(1026), 8 * math.log(1024), 4.0, 0.02]),
    count=st.integers(0, 120),
    spread=st.sampled_from([0.0, 0.003, 0.02, 0.06]),
    fall=st.sampled_from([1.0, 1.0, 0.999, 0.99]),
    stride=st.sampled_from([1, 4, 50]),
    choose=st.integers(0, 1 << 32).map(Random),
)
def test_where_it_spans_it_says_so_of_every_value(name, level, count, spread, fall, stride, choose):
    """Whatever the last points were, and at any step."""
    rule, history, others = make(name), SeriesHistory(LIMITS, "ce", ""), OTHERS.get(name, lambda step: {})
    for step in range(0, count * stride, stride):
        value = level * fall**step * (1 + choose.gauss(0, spread))
        history.baseline.turn(step)
        history.take(Point(step, value, 0.0, others(step)))
        history.fold(step, value)
    step, before = count * stride, usual(history)
    for _ in range(20):
        holding = choose.random() < 0.5
        low, high = rule.span(history, holding=holding) or (1.0, 0.0)
        floor, ceiling = max(low, -100.0), min(high, 100.0)
        value = choose.choice([floor, math.nextafter(ceiling, -math.inf), choose.uniform(floor, ceiling), level, 0.01])
        step += choose.choice([0, 1, stride, 3000])
        history.take(Point(step, value, 0.0, others(step)))
        if low <= value < high and history.repeats < MANY_REPEATS and usual(history) == before:
            assert (rule.holds(history.points[-1], history) is True) == holding


def test_the_rules_that_are_awake_for_long_know_their_spans():
    history, level = SeriesHistory(LIMITS, "ce", ""), math.log(1026)
    for step in range(5):
        history.take(Point(step, level, 0.0, {}))
    low, high = make("chance_level").span(history, holding=True) or (0.0, 0.0)
    assert low < level < high
    low, high = make("early_drop").span(history, holding=False) or (0.0, 0.0)
    assert low < level < high


def series_for(name: str) -> list[list[float]]:
    return [FIRES[name]] if name in FIRES else [[value] * 200 for value in VALUES]


def absent_after(monitor: AudioLossMonitor, name: str, last: int) -> list[Alert]:
    """What is said while the series is not logged any more, of the rule that minds."""
    steps = range(last, last + 200) if make(name).minds_absence else ()
    return [alert for step in steps for alert in monitor.absent(step, 0.0)]


@pytest.mark.parametrize("name", RULES)
def test_some_series_makes_it_fire_and_its_code_is_its_file_name(name):
    """Among all rules: none that is graver or waits longer drowns it in every series."""
    fired, others = set(), OTHERS.get(name, lambda step: {})
    for values in series_for(name):
        monitor = AudioLossMonitor()
        for step, value in enumerate(values):
            fired |= {alert.code for alert in monitor.update(value, step, 0.0, others(step))}
        fired |= {alert.code for alert in absent_after(monitor, name, len(values))}
    assert name.replace("_", "-") in fired


@pytest.mark.parametrize("name", RULES)
def test_a_loop_that_knows_the_five_types_sees_every_alert(name):
    """As callers write it: what is critical in one branch, the two kinds of warnings in the other."""
    code, seen = name.replace("_", "-"), dict[str, set[Severity]]()
    for values in series_for(name):
        monitor, others = AudioLossMonitor(select=[code]), OTHERS.get(name, lambda step: {})
        for step, value in enumerate([*values, *HEALTHY]):
            gone = absent_after(monitor, name, step) if step == len(values) else []
            later = step + 200 * (make(name).minds_absence and step >= len(values))
            for alert in [*gone, *monitor.update(value, later, 0.0, others(step))]:
                assert alert["code"] == code
                if alert["type"] == "critical":
                    seen.setdefault("error", set()).add(alert["severity"])
                elif alert["type"] in ("warning", "sustained_warning"):
                    seen.setdefault("warning", set()).add(alert["severity"])
                else:
                    assert alert["type"] == ("recovered" if alert["edge"] == "recovered" else "info")
                    seen.setdefault("info", set()).add(alert["severity"])
    logged = {"error": {Severity.CRITICAL}, "warning": {Severity.WARNING}, "info": {Severity.INFO}}
    assert seen
    assert all(severities == logged[level] for level, severities in seen.items())
    assert ALERT_TYPES == ("critical", "warning", "sustained_warning", "info", "recovered")


@pytest.mark.parametrize("name", RULES)
def test_a_healthy_series_makes_it_say_nothing(name):
    monitor = AudioLossMonitor(select=[name.replace("_", "-")])
    assert [alert for step, value in enumerate(HEALTHY) for alert in monitor.update(value, step, 0.0)] == []


@pytest.mark.parametrize("name", RULES)
def test_its_options_have_defaults_and_are_taken(name):
    options = ruleset.options_of(name)
    assert all(default > 0 for default in options.values())
    assert registry.load("rules", name).Rule(LIMITS, **options)


def test_every_series_is_of_a_rule_that_is_there():
    assert set(FIRES) | set(OTHERS) <= set(RULES)


WITHOUT_DOCSTRINGS = """
from audioloss_cli import AudioLossMonitor
monitor = AudioLossMonitor()
for step, loss in enumerate([3.0, 0.007, 0.001, float("nan"), None, 3.0]):
    for alert in monitor.update(loss, step):
        print(alert.step, alert.type, repr(alert.advice))
"""


def test_they_speak_without_their_docstrings_too():
    done = subprocess.run(
        [sys.executable, "-OO", "-c", WITHOUT_DOCSTRINGS], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines() == [
        "1 warning ''",
        "2 critical ''",
        "3 critical ''",
        "5 recovered ''",
        "5 recovered ''",
    ]


def test_the_missing_section_is_named():
    import types

    module = types.ModuleType("made_up", doc="Title.\n\nWhat: x.\n\nWhy: y.\n")
    with pytest.raises(ValueError, match="made_up: the docstring has no section Fix:"):
        RuleText.of(module)
