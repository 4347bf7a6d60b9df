"""What a guard gives for a checkpoint: taking it changes nothing, and a run that goes on from it comes to the same."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli.training import AudioLossGuard, Policy
from tests.effort import examples
from tests.training import loops
from tests.training.test_steps import SILENT, VALUES, forms, timeless

POLICY = Policy(critical=("stop",), warning=("stop",))


@pytest.mark.parametrize("form", ["float", "named", "codebooks"])
@settings(max_examples=examples(60))
@given(before=st.lists(VALUES, max_size=40), after=st.lists(VALUES, max_size=20))
def test_a_run_in_two_parts_comes_to_what_a_whole_one_does(form, before, after):
    whole, first, second = (AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0) for _ in range(3))
    expected, told = fed(whole, [*before, *after], form), fed(first, before, form)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    told += fed(second, after, form)
    assert key(told + second.flush()) == key(expected + whole.flush())
    assert repr(timeless(second.state_dict())) == repr(timeless(whole.state_dict()))


def fed(guard, values, form):
    return [alert for value in values for alert in guard.step(**forms(value)[form])]


def key(alerts):
    return [(each.code, each.step, each.edge, each.message) for each in alerts]


def with_an_attempt_of_its_users():
    guard = AudioLossGuard(policy=POLICY, jsonl=False)
    guard.step(5.0)
    guard.monitor.record_recovery_attempt(1, "mine")
    guard.step(float("nan"))
    guard.monitor.record_recovery_attempt(2, "mine again")
    for step in (5.1, 5.2, float("inf")):
        guard.step(step)
    return guard


def test_an_action_comes_back_with_its_own_attempt():
    """Among those that the user recorded, and still the one that the monitor judges."""
    guard, again = with_an_attempt_of_its_users(), AudioLossGuard(policy=POLICY, jsonl=False)
    again.load_state_dict(json.loads(json.dumps(guard.state_dict())))
    assert [taken.action for taken in again.taken] == ["stop"] * len(guard.taken)
    assert [taken.attempt for taken in again.taken] == [taken.attempt for taken in guard.taken]
    assert all(taken.attempt.action == f"stop: {taken.outcome}" for taken in again.taken)
    assert again.taken[0].attempt is again.monitor.recovery_attempts[1]


def test_actions_of_an_older_state_come_back_in_order():
    guard, again = AudioLossGuard(policy=POLICY, jsonl=False), AudioLossGuard(policy=POLICY, jsonl=False)
    for value in (5.0, float("nan"), 5.1, 5.2):
        guard.step(value)
    state = guard.state_dict()
    for each in state["taken"]:
        del each["attempt"]
    again.load_state_dict(state)
    assert [taken.attempt for taken in again.taken] == [taken.attempt for taken in guard.taken] != []


@pytest.mark.parametrize("end", ["stop", "log"])
def test_what_ended_a_run_ends_it_again_if_it_is_still_so(end):
    """At once, and not when the next reminder is due; where nothing ended it, nothing is said before that."""
    first, again = (AudioLossGuard(policy=Policy(critical=(end,)), jsonl=False, window_size=50) for _ in range(2))
    for loss in (5.0, 5.1, math.nan):
        first.step(loss)
    again.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert not again.should_stop
    told = again.step(math.nan)
    assert [each.edge for each in told] == (["reminder"] if end == "stop" else [])
    assert again.should_stop == (end == "stop")
    assert len(again.monitor.incidents) == 1


def test_a_run_that_was_ended_and_is_healthy_again_goes_on():
    first, again = (AudioLossGuard(policy=POLICY, jsonl=False, window_size=50) for _ in range(2))
    for loss in (5.0, 5.1, math.nan):
        first.step(loss)
    again.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for step in range(60):
        again.step(5.0 + step % 7 / 100)
    assert not again.should_stop
    assert again.monitor.incidents[0].resolution == "recovered"


def test_a_state_that_was_taken_before_the_end_ends_the_run_as_well(tmp_path):
    """Of a checkpoint that the same alert asked for."""
    states = []
    policy = Policy(critical=("checkpoint", "stop"))

    def save(step):
        states.append(first.state_dict())
        return tmp_path

    first, again = (AudioLossGuard(policy=policy, jsonl=False, save=save) for _ in range(2))
    for loss in (5.0, 5.1, math.nan):
        first.step(loss)
    (state,) = states
    again.load_state_dict(json.loads(json.dumps(state)))
    again.step(math.nan)
    assert again.should_stop


@pytest.mark.parametrize("ends", [True, False])
def test_inputs_that_ended_a_run_end_it_again(ends):
    policy = Policy(critical=("stop",) if ends else ("log",))
    first, again = (AudioLossGuard(policy=policy, jsonl=False, model=loops.model()) for _ in range(2))
    batch = loops.sample(1, masked=True)
    first.step(5.0, batch=batch)
    again.load_state_dict(json.loads(json.dumps(first.state_dict())))
    told = again.step(5.1, batch=batch)
    assert ("all-masked" in [alert.code for alert in told]) == ends
    assert again.should_stop == ends


def test_inputs_end_a_run_again_whose_state_was_taken_before_its_end(tmp_path):
    """Of a checkpoint that the same alert asked for, before anything else."""
    states, policy = [], Policy(critical=("checkpoint", "stop"))

    def save(step):
        states.append(first.state_dict())
        return tmp_path

    settings = {"policy": policy, "jsonl": False, "save": save, "model": loops.model()}
    first, again = (AudioLossGuard(**settings) for _ in range(2))
    batch = loops.sample(1, masked=True)
    first.step(5.0, batch=batch)
    again.load_state_dict(json.loads(json.dumps(states[0])))
    again.step(5.1, batch=batch)
    assert again.should_stop


@pytest.mark.parametrize("begins_after", [True, False])
def test_text_alone_at_first_is_no_audio_after_a_resumption(begins_after):
    """Lightning loads its state before a training begins, a Trainer after."""
    first, again = (AudioLossGuard(policy=POLICY, jsonl=False, first_batches=0) for _ in range(2))
    for step in range(200):
        first.step(outputs={"loss": torch.tensor(7.0), "audio_loss": torch.tensor(5.0 + step % 7 / 100)})
    state = json.loads(json.dumps(first.state_dict()))
    for load in (again.load_state_dict, lambda _: again.pipeline.begin())[:: 1 if begins_after else -1]:
        load(state)
    for _ in range(5):
        again.step(outputs={"loss": torch.tensor(0.004), "audio_loss": None})
    again.step(outputs={"loss": torch.tensor(7.0), "audio_loss": torch.tensor(5.02)})
    assert again.taken == []
    assert again.monitor.diagnostics()["points"] == 201
