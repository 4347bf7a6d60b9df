"""What every action promises."""

import inspect
import math

import pytest

from audioloss_cli import registry
from audioloss_cli.training import ActionError, AudioLossError, AudioLossGuard, Policy
from audioloss_cli.training.policy import load

NAMES = [registry.code_of(name) for name in registry.names("training.response.actions")]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_documented_and_says_whom_it_concerns(name):
    action = load(name)
    assert registry.docstring("training.response.actions", name.replace("-", "_")).splitlines()[0].endswith(".")
    assert isinstance(action.EVERY_RANK, bool)
    first, *options = inspect.signature(action.act).parameters.values()
    assert first.name == "case"
    assert all(option.default is not inspect.Parameter.empty for option in options)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_recovery_attempt_with_an_outcome(name, tmp_path):
    guard = AudioLossGuard(directory=tmp_path, policy=Policy(critical=(name,)), window_size=3)
    for step in range(1, 6):
        guard.step(5.0 + 0.1 * (step % 3))
    try:
        guard.step(math.nan)
    except AudioLossError:
        assert name == "raise-error"
    (taken,) = guard.taken
    (attempt,) = guard.monitor.recovery_attempts
    assert (taken.action, taken.step, taken.alert) == (name, 6, "non-finite-loss")
    assert attempt.action == f"{name}: {taken.outcome}"
    assert taken.outcome
    assert taken.recovered is None
    for _ in range(5):
        guard.step(5.0)
    assert (taken.recovered, taken.attempt.recovered_step) == (True, 7)


def test_an_error_of_an_action_is_its_outcome():
    assert issubclass(ActionError, RuntimeError)
