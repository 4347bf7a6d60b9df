"""What every rule promises."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli import AudioLossMonitor, Limits, Severity, registry
from audioloss_cli.records import MISSING, RuleText
from audioloss_cli.records.rule import LossRule

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

# What makes a rule fire, for one that no constant series does, or to pin it down: a loss a step, one line a rule.
FIRES: dict[str, list[float]] = {
    "sustained_low_loss": [0.007] * LIMITS.window_size,
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
@given(value=st.floats() | st.sampled_from(VALUES), step=st.integers(-(2**63), 2**63 - 1))
def test_it_answers_for_any_value_and_is_quiet_where_it_says(name, value, step):
    rule = make(name)
    verdict = rule.holds(step, value)
    assert verdict in (True, False, None)
    low, high = rule.quiet
    if low <= value < high:
        assert verdict is False
    assert not rule.worse(value, value)
    assert rule.explain(step, value, step, 1)


def series_for(name: str) -> list[list[float]]:
    return [FIRES[name]] if name in FIRES else [[value] * 200 for value in VALUES]


@pytest.mark.parametrize("name", RULES)
def test_some_series_makes_it_fire_and_its_code_is_its_file_name(name):
    """Among all rules: none that is graver or waits longer drowns it in every series."""
    fired = set()
    for values in series_for(name):
        monitor = AudioLossMonitor()
        fired |= {alert.code for step, value in enumerate(values) for alert in monitor.update(value, step)}
    assert name.replace("_", "-") in fired


def test_every_series_is_of_a_rule_that_is_there():
    assert set(FIRES) <= set(RULES)


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
