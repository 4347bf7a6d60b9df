"""Which checkpoint a rollback goes back to."""

import math

import pytest
import torch

from audioloss_cli.training import AudioLossGuard, Policy


def guard_of(directory):
    policy = Policy(critical=("rollback",), warning=())
    return AudioLossGuard(policy=policy, model=torch.nn.Linear(1, 1), directory=directory, window_size=10)


def went_to(guard):
    (taken,) = guard.taken
    return taken.outcome.rsplit("checkpoint-", 1)[-1].removesuffix(".pt") if taken.done else None


@pytest.mark.parametrize("stride", [1, 2, 10])
def test_the_weights_must_have_been_tried_by_a_loss_that_was_good(tmp_path, stride):
    """Two optimisers count two steps a batch; a loop may call its steps as it likes."""
    guard = guard_of(tmp_path)
    for number in range(1, 12):
        guard.step(5.0 + number / 100 if number < 11 else math.nan, step=number * stride)
        guard.save_checkpoint()
    assert went_to(guard) == str(9 * stride)


def test_a_loss_that_is_logged_now_and_then_is_that_of_all_steps_since(tmp_path):
    guard = guard_of(tmp_path)
    for step in range(1, 50):
        guard.step(5.0 + step % 7 / 100)
        if step % 4 == 0:
            guard.save_checkpoint()
        if step % 10 == 0:
            guard.pipeline.logged(math.nan if step == 40 else 40.0 + step % 3, step)
    assert went_to(guard) == "28"
