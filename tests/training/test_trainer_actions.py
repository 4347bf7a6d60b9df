"""Checkpoints of an emergency, and what an interrupted training leaves to do, in a real Trainer."""

import shutil
from collections import namedtuple

import pytest
import torch
from transformers import TrainerCallback

from audioloss_cli.training import AudioLossCallback, Policy
from tests.training import loops


def trainer(directory, steps, *actions, options=None, data=None, more=(), **settings):
    callback = AudioLossCallback(Policy(critical=actions, warning=(), options=options or {}))
    return loops.InOrder(
        model=loops.model(),
        args=loops.arguments(directory, steps, **settings),
        train_dataset=data or loops.Samples(steps, 12, 13, masked=True),
        eval_dataset=loops.Samples(2),
        callbacks=[callback, *more],
    ), callback.guard


def saved_in(directory):
    return sorted(
        int(path.name.removeprefix("checkpoint-")) for path in directory.glob("checkpoint-*") if path.is_dir()
    )


def test_what_is_saved_in_an_emergency_takes_the_place_of_no_healthy_one(tmp_path):
    made, _ = trainer(tmp_path, 20, "checkpoint", "stop", save_strategy="steps", save_steps=5, save_total_limit=1)
    made.train()
    assert saved_in(tmp_path) == [10, 13]
    assert made.args.save_total_limit == 1


def test_the_limit_is_that_of_the_run_from_its_next_checkpoint_on(tmp_path):
    made, guard = trainer(tmp_path, 20, "checkpoint", save_strategy="steps", save_steps=5, save_total_limit=2)
    made.train()
    assert [taken.step for taken in guard.taken] == [13]
    assert saved_in(tmp_path) == [15, 20]


def test_a_checkpoint_that_cannot_be_written_ends_no_training(tmp_path):
    (tmp_path / "checkpoint-13").write_text("in its place")
    made, guard = trainer(tmp_path, 15, "checkpoint")
    made.train()
    assert made.state.global_step == 15
    (taken,) = guard.taken
    assert (taken.done, taken.outcome) == (False, f"{tmp_path / 'checkpoint-13'} cannot be written: Not a directory")


def test_a_full_disk_ends_no_training(tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")(1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    made, guard = trainer(tmp_path, 15, "checkpoint")
    made.train()
    assert made.state.global_step == 15
    (taken,) = guard.taken
    assert not taken.done
    assert "checkpoint-13 cannot be written: 0.00" in taken.outcome
    assert taken.outcome.endswith("GB of weights, 1e-06 GB free")


@loops.not_in_older(reason="does not save the best alone")
@pytest.mark.parametrize(("evaluated", "done"), [(13, False), (6, True)])
def test_a_trainer_that_saves_the_best_alone_is_named(tmp_path, evaluated, done):
    settings = {"metric_for_best_model": "loss", "greater_is_better": True, "label_names": ["audio_labels"]}
    settings |= {"save_strategy": "best", "eval_strategy": "steps", "eval_steps": evaluated}
    made, guard = trainer(tmp_path, 15, "checkpoint", **settings)
    made.train()
    (taken,) = guard.taken
    assert (taken.done, "save_strategy='best'" in taken.outcome) == (done, not done)
    assert (tmp_path / "checkpoint-13").is_dir() or not done


class Interrupt(TrainerCallback):
    """Once."""

    def __init__(self, at):
        self.at = at

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.at:
            self.at = None
            raise KeyboardInterrupt


def test_a_training_after_an_interrupted_one_learns_from_its_first_batch(tmp_path):
    options, settings = {"rollback": {"skip": 10}}, {"save_strategy": "steps", "save_steps": 5}
    made, guard = trainer(tmp_path, 16, "rollback", options=options, more=[Interrupt(14)], **settings)
    with pytest.raises(KeyboardInterrupt):
        made.train()
    assert [taken.done for taken in guard.taken] == [True]
    assert guard.loop.skips == 9
    made.train_dataset, made.args.max_steps = loops.Samples(4), 1
    before = [each.detach().clone() for each in made.model.parameters()]
    made.train()
    assert not all(map(torch.equal, before, made.model.parameters()))
