"""A callback that a Trainer has twice, and one that is used for a second training."""

import copy

import pytest

from audioloss_cli.training import AudioLossCallback, AudioLossError, Policy
from tests.effort import exhaustive
from tests.training import loops


def trainer(directory, callbacks, steps, data=None, **settings):
    return loops.InOrder(
        model=loops.model(),
        args=loops.arguments(directory, steps, **settings),
        train_dataset=data or loops.Samples(steps),
        eval_dataset=loops.Samples(2),
        callbacks=callbacks,
    )


def test_the_same_callback_twice_watches_once(tmp_path):
    """The Trainer warns of it, and then tells it everything twice."""
    callback = AudioLossCallback(Policy(critical=("stop",)))
    made = trainer(tmp_path, [callback, callback], 12, loops.Samples(12, 8, masked=True))
    made.train()
    assert [(taken.alert, taken.step) for taken in callback.guard.taken] == [("non-finite-loss", 9)]
    assert callback.guard.monitor.diagnostics()["points"] == made.state.global_step == 9
    assert not made.model._forward_hooks


def test_two_callbacks_watch_side_by_side(tmp_path):
    callbacks = [AudioLossCallback(Policy(critical=("stop",))) for _ in range(2)]
    trainer(tmp_path, callbacks, 12, loops.Samples(12, 8, masked=True)).train()
    for each in callbacks:
        assert [(taken.alert, taken.step) for taken in each.guard.taken] == [("non-finite-loss", 9)]


def test_a_training_after_one_that_was_ended_by_an_exception(tmp_path):
    callback = AudioLossCallback(Policy(critical=("raise-error",)))
    made = trainer(tmp_path, [callback], 12, loops.Samples(12, 4, 5, masked=True))
    with pytest.raises(AudioLossError):
        made.train()
    assert len(made.model._forward_hooks) == 1  # nobody tells a callback of an exception
    made.train_dataset = loops.Samples(12)
    made.train()
    assert not made.model._forward_hooks
    assert callback.guard.monitor.diagnostics()["points"] == 5 + 12
    assert [taken.step for taken in callback.guard.taken] == [5]


def test_evaluation_between_the_steps_is_not_watched(tmp_path):
    """With the filter of the Trainer at its default, which hides a NaN from its log."""
    callback = AudioLossCallback(Policy(critical=("stop",)))
    data = loops.Samples(24, 15, masked=True)
    settings = {"eval_strategy": "steps", "eval_steps": 3, "gradient_accumulation_steps": 2}
    made = trainer(tmp_path, [callback], 12, data, **settings)
    made.train()
    assert made.args.logging_nan_inf_filter
    assert [(taken.alert, taken.step) for taken in callback.guard.taken] == [("non-finite-loss", 8)]
    assert callback.guard.monitor.diagnostics()["points"] == made.state.global_step == 8
    assert list(callback.guard.monitors) == ["audio_loss"]


@pytest.mark.parametrize("anew", [False, True])
def test_the_first_batches_of_every_training_are_looked_at(tmp_path, anew):
    """Of the same Trainer with other data, and of another one."""
    callback = AudioLossCallback(Policy(critical=("stop",)))
    made = trainer(tmp_path, [callback], 6)
    made.train()
    assert callback.guard.taken == []
    broken = loops.Samples(6, 0, masked=True)
    made = trainer(tmp_path, [callback], 6, broken) if anew else made
    made.train_dataset = broken
    made.train()
    assert ("all-masked", 1) in [(taken.alert, taken.step) for taken in callback.guard.taken]
    assert made.state.global_step == 1


def test_what_the_inputs_lack_is_not_said_again_after_a_resumption(tmp_path):
    first, second = (AudioLossCallback(Policy(critical=("dump",))) for _ in range(2))
    data = loops.Samples(8, 0, masked=True)
    trainer(tmp_path, [first], 4, data, save_strategy="steps", save_steps=4).train()
    assert "all-masked" in [taken.alert for taken in first.guard.taken]
    trainer(tmp_path, [second], 8, data).train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert [taken.step for taken in second.guard.taken if taken.alert == "all-masked"] == [1]


def test_a_callback_can_be_copied_in_the_middle_of_a_training(tmp_path):
    """As a search over hyperparameters does."""
    callback = AudioLossCallback(Policy(critical=("stop",)))
    trainer(tmp_path, [callback], 6).train()
    again = copy.deepcopy(callback)
    trainer(tmp_path, [again], 12, loops.Samples(12, 8, masked=True)).train()
    assert [(taken.alert, taken.step) for taken in again.guard.taken] == [("non-finite-loss", 9)]
    assert callback.guard.taken == []


@pytest.mark.parametrize("limit", [1, *exhaustive(None)])
def test_a_checkpoint_that_was_never_written_changes_no_limit_of_another_training(tmp_path, limit):
    """The error leaves before the Trainer saves, and with it the room that was made for it."""
    callback = AudioLossCallback(Policy(critical=("checkpoint", "raise-error")))
    settings = {"save_strategy": "steps", "save_steps": 2, "save_total_limit": 2}
    first = trainer(tmp_path / "first", [callback], 12, loops.Samples(12, 8, masked=True), **settings)
    with pytest.raises(AudioLossError):
        first.train()
    second = trainer(tmp_path / "second", [callback], 8, **{**settings, "save_total_limit": limit})
    second.train()
    assert (first.args.save_total_limit, second.args.save_total_limit) == (2, limit)
    assert len(list((tmp_path / "second").glob("checkpoint-*"))) == (limit or 4)
