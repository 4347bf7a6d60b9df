"""Alerts of one step: one fault is told once, and the loop is changed once for it."""

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
    assert lowered == [("audio_loss", True)]
    assert all(guard.monitors[f"codebook/{number}"].incidents for number in range(4))


def test_what_failed_is_not_tried_again_for_the_same_step(tmp_path, optimizer, caplog):
    guard = guard_of(tmp_path, optimizer, "rollback")
    guard.step(outputs=of_codebooks(math.nan))
    assert [taken.done for taken in guard.taken] == [False]
    assert len([record for record in caplog.records if "rollback failed" in record.message]) == 1


def test_the_next_fault_changes_the_loop_again_even_at_a_step_of_the_same_number(tmp_path, optimizer):
    guard = guard_of(tmp_path, optimizer, "lower-lr")
    for value in (5.0, math.nan, *(5.0 + step / 100 for step in range(300)), math.nan):
        guard.step(value)
    assert optimizer.param_groups[0]["lr"] == 0.25
    guard.step(5.0, step=1)
    guard.step(math.nan, step=302)
    assert optimizer.param_groups[0]["lr"] == 0.125


def test_one_fault_of_all_codebooks_is_one_alert_with_one_dump(tmp_path, optimizer):
    guard, said = guard_of(tmp_path, optimizer, "dump"), []
    for value in (5.0, math.nan, math.nan, *(5.0 + step / 100 for step in range(300))):
        said += guard.step(outputs=of_codebooks(value, 2))
    assert [(alert.code, alert.edge) for alert in said] == [
        ("non-finite-loss", "fired"),
        ("non-finite-loss", "recovered"),
    ]
    assert [taken.outcome for taken in guard.taken] == [str(tmp_path / "step-2-non-finite-loss.json")]
    lines = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    assert {line["series"] for line in lines} == {"audio_loss"}


def test_a_codebook_that_is_in_graver_trouble_than_the_mean_is_told_of(tmp_path, optimizer):
    guard, said = guard_of(tmp_path, optimizer, "log"), []
    for step in range(200):
        losses = torch.tensor([5.0 + step % 7 / 100] * 4)
        losses[2] = 0.004 if step >= 100 else losses[2]
        said += guard.step(outputs={"codebook_losses": losses})
    assert {taken.series for taken in guard.taken} == {"codebook/2"}


def test_what_an_action_has_arrive_is_the_same_fault(tmp_path, optimizer):
    """As the checkpoint of Lightning does: what arrives meanwhile is handled in between."""
    guard = AudioLossGuard(
        policy=Policy(critical=("checkpoint",), warning=()),
        directory=tmp_path,
        save=lambda step: guard.pipeline.logged(math.nan, step) and "saved",
    )
    guard.pipeline.logged(5.0, 1)
    guard.step(math.nan)
    assert [(taken.action, taken.series) for taken in guard.taken] == [("checkpoint", "audio_loss")]
    assert guard.monitors["logged"].incidents
