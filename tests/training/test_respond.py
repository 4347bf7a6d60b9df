"""Alerts of one step: each is told, and the loop is changed once for all of them."""

import json
import math

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy


def of_codebooks(loss, count=4):
    return {"loss": torch.tensor(loss), "codebook_losses": torch.full((count,), loss)}


@pytest.fixture
def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def guard_of(directory, optimizer, *actions):
    policy = Policy(critical=actions, warning=(), options={"rollback": {"skip": 3}})
    return AudioLossGuard(policy=policy, model=torch.nn.Linear(1, 1), optimizer=optimizer, directory=directory)


def test_a_fault_of_all_codebooks_changes_the_loop_once(tmp_path, optimizer):
    guard = guard_of(tmp_path, optimizer, "lower-lr", "rollback")
    for step in range(1, 10):
        guard.step(outputs=of_codebooks(5.0 + step / 100))
        if step == 3:
            guard.save_checkpoint()
    guard.step(outputs=of_codebooks(math.nan))
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert guard.loop.skips == 3
    lowered = [(taken.series, taken.done) for taken in guard.taken if taken.action == "lower-lr"]
    assert lowered == [("audio_loss", True), *((f"codebook/{number}", True) for number in range(4))]
    assert guard.taken[2].outcome == "once at this step: learning rate from 1 to 0.5"


def test_what_failed_is_not_tried_again_for_the_same_step(tmp_path, optimizer, caplog):
    guard = guard_of(tmp_path, optimizer, "rollback")
    guard.step(outputs=of_codebooks(math.nan))
    assert [taken.done for taken in guard.taken] == [False] * 5
    assert len([record for record in caplog.records if "rollback failed" in record.message]) == 1


def test_the_next_fault_changes_the_loop_again_even_at_a_step_of_the_same_number(tmp_path, optimizer):
    guard = guard_of(tmp_path, optimizer, "lower-lr")
    for value in (5.0, math.nan, *(5.0 + step / 100 for step in range(300)), math.nan):
        guard.step(value)
    assert optimizer.param_groups[0]["lr"] == 0.25
    guard.step(5.0, step=1)
    guard.step(math.nan, step=302)
    assert optimizer.param_groups[0]["lr"] == 0.125


def test_the_dump_of_each_codebook_is_a_file_of_its_own(tmp_path, optimizer):
    guard = guard_of(tmp_path, optimizer, "dump")
    guard.step(outputs=of_codebooks(math.nan, 2))
    names = ["non-finite-loss", "non-finite-loss-codebook-0", "non-finite-loss-codebook-1"]
    assert [taken.outcome for taken in guard.taken] == [str(tmp_path / f"step-1-{name}.json") for name in names]
    alerts = [json.loads((tmp_path / f"step-1-{name}.json").read_text())["alert"] for name in names]
    assert len({alert["incident"] for alert in alerts}) == 3


def test_an_action_that_waits_for_what_is_queued_is_entered_for_its_own_series(tmp_path, optimizer):
    """As the checkpoint of Lightning does: what arrives meanwhile is handled in between."""
    guard = AudioLossGuard(
        policy=Policy(critical=("checkpoint",), warning=()),
        directory=tmp_path,
        save=lambda step: guard.logged(math.nan, step) and "saved",
    )
    guard.logged(5.0, 1)
    guard.step(math.nan)
    assert [(taken.action, taken.series) for taken in guard.taken] == [
        ("checkpoint", "logged"),
        ("checkpoint", "audio_loss"),
    ]
