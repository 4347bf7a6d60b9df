"""Checkpoint, rollback, skipping, learning rate and stop, on a real model and optimiser."""

import json
import math

import pytest
import torch
from torch.optim import lr_scheduler as schedules

from audioloss_cli.training import AudioLossGuard, Policy


@pytest.fixture
def parts():
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    return model, optimizer, scheduler


def trained(parts, steps=3):
    model, optimizer, scheduler = parts
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(1, 4)).square().sum().backward()
        optimizer.step()
        scheduler.step()


def guard_of(parts, directory, *actions, **more):
    model, optimizer, scheduler = parts
    policy = Policy(critical=actions, options=more.pop("options", {}))
    return AudioLossGuard(
        policy=policy, model=model, optimizer=optimizer, scheduler=scheduler, directory=directory, **more
    )


def weights(parts):
    return [each.detach().clone() for each in parts[0].parameters()]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_rollback_restores_what_was_saved(parts, tmp_path):
    guard = guard_of(parts, tmp_path, "rollback", options={"rollback": {"skip": 2}})
    trained(parts)
    guard.step(5.0)
    guard.save_checkpoint()
    saved, moments = weights(parts), json.dumps(str(parts[1].state_dict()["state"]))
    guard.step(4.9)
    trained(parts)
    rate = parts[1].param_groups[0]["lr"]
    assert not same(weights(parts), saved)
    guard.step(math.nan)
    (taken,) = guard.taken
    assert taken.done
    assert "checkpoint-1.pt, 2 batches skipped" in taken.outcome
    assert same(weights(parts), saved)
    assert json.dumps(str(parts[1].state_dict()["state"])) == moments
    assert parts[1].param_groups[0]["lr"] == rate  # the schedule goes on
    assert list(guard.batches(range(5))) == [2, 3, 4]


def test_the_gradients_of_the_step_are_not_put_into_the_restored_weights(parts, tmp_path):
    """Where losses are handed over between the backward pass and the optimiser's step, as public loops do it."""
    guard = guard_of(parts, tmp_path, "rollback")
    model, optimizer, _ = parts
    for step in range(1, 6):
        optimizer.zero_grad()
        loss = model(torch.ones(1, 4)).square().sum() * (math.nan if step == 4 else 1.0)
        loss.backward()
        guard.step(loss)
        if step == 2:
            guard.save_checkpoint()
        optimizer.step()
        assert all(torch.isfinite(each).all() for each in model.parameters()), step
    assert guard.taken[0].done


def test_no_rollback_to_what_was_saved_in_trouble(parts, tmp_path):
    guard = guard_of(parts, tmp_path, "rollback")
    guard.step(5.0)
    guard.save_checkpoint()  # the loss of the next step is the first that tries these weights
    guard.step(math.nan)
    assert "no checkpoint is known" in guard.taken[0].outcome
    assert not guard.taken[0].done


def test_a_checkpoint_that_is_gone_or_damaged_is_named(parts, tmp_path):
    guard = guard_of(parts, tmp_path, "rollback")
    for step in range(1, 4):
        guard.step(5.0 + step / 10)
        guard.save_checkpoint()
    (tmp_path / "checkpoint-1.pt").write_bytes(b"no checkpoint")
    (tmp_path / "checkpoint-2.pt").unlink()
    guard.step(math.nan)
    assert "checkpoint-1.pt" in guard.taken[0].outcome
    assert not guard.taken[0].done


def test_an_emergency_checkpoint_holds_everything(parts, tmp_path):
    guard = guard_of(parts, tmp_path, "checkpoint")
    guard.step(math.nan)
    state = torch.load(tmp_path / "checkpoint-1.pt", weights_only=True)
    assert set(state) == {"model", "optimizer", "scheduler"}
    assert same(state["model"].values(), weights(parts))


def test_a_loop_brings_its_own_ways_of_saving(parts, tmp_path):
    done = []
    guard = AudioLossGuard(
        policy=Policy(critical=("checkpoint", "rollback")),
        directory=tmp_path,
        save=lambda step: done.append(step) or tmp_path,
        restore=done.append,
    )
    guard.step(5.0)
    guard.save_checkpoint()
    guard.step(5.1)
    guard.step(math.nan)
    assert done == [1, 3, str(tmp_path)]
    assert [taken.done for taken in guard.taken] == [True, True]


@pytest.mark.parametrize("factor", [0.5, 0.1])
def test_the_learning_rate_stays_lower_under_its_schedule(parts, tmp_path, factor):
    guard = guard_of(parts, tmp_path, "lower-lr", options={"lower-lr": {"factor": factor}})
    trained(parts, 1)
    guard.step(math.nan)
    assert parts[1].param_groups[0]["lr"] == pytest.approx(0.05 * factor)
    trained(parts, 1)
    assert parts[1].param_groups[0]["lr"] == pytest.approx(0.1 / 3 * factor)


def test_a_rate_that_groups_share_is_lowered_once(tmp_path):
    """In its place: a captured graph reads it there."""
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
    rate = torch.tensor(0.1)
    optimizer = torch.optim.AdamW([{"params": [each]} for each in parameters], lr=rate, foreach=False)
    guard = AudioLossGuard(policy=Policy(critical=("lower-lr",)), optimizer=optimizer, directory=tmp_path)
    guard.step(math.nan)
    assert [float(group["lr"]) for group in optimizer.param_groups] == pytest.approx([0.05] * 3)
    assert optimizer.param_groups[0]["lr"] is rate


def test_schedules_in_a_row_are_all_lowered(tmp_path):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    first = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    second = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    both = torch.optim.lr_scheduler.SequentialLR(optimizer, [first, second], milestones=[2])
    guard = AudioLossGuard(policy=Policy(critical=("lower-lr",)), optimizer=optimizer, scheduler=both, jsonl=False)
    guard.step(math.nan)
    for _ in range(4):
        optimizer.step()
        both.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.25)


@pytest.mark.parametrize("factor", [0.0, 1.0, -1.0])
def test_a_factor_that_makes_no_sense_is_refused(parts, tmp_path, factor):
    guard = guard_of(parts, tmp_path, "lower-lr", options={"lower-lr": {"factor": factor}})
    guard.step(math.nan)
    assert "between 0 and 1" in guard.taken[0].outcome
    assert parts[1].param_groups[0]["lr"] == 0.1


def test_stop(parts, tmp_path):
    guard = guard_of(parts, tmp_path, "stop")
    guard.step(5.0)
    assert not guard.should_stop
    guard.step(math.nan)
    assert guard.should_stop


SCHEDULES = {
    "one-cycle": lambda each: schedules.OneCycleLR(each, max_lr=1.0, total_steps=40),
    "one-cycle-of-three": lambda each: schedules.OneCycleLR(each, max_lr=1.0, total_steps=40, three_phase=True),
    "cyclic": lambda each: schedules.CyclicLR(each, 0.1, 1.0, step_size_up=7),
    "cosine": lambda each: schedules.CosineAnnealingLR(each, 40),
    "cosine-to-a-floor": lambda each: schedules.CosineAnnealingLR(each, 40, eta_min=0.2),
    "restarts": lambda each: schedules.CosineAnnealingWarmRestarts(each, 9, eta_min=0.2),
    "linear": lambda each: schedules.LinearLR(each, total_iters=20),
    "steps": lambda each: schedules.StepLR(each, 6),
    "chain": lambda each: schedules.ChainedScheduler([schedules.LinearLR(each), schedules.ExponentialLR(each, 0.9)]),
    "row": lambda each: schedules.SequentialLR(
        each, [schedules.LinearLR(each), schedules.CosineAnnealingLR(each, 30, eta_min=0.1)], milestones=[8]
    ),
    "averaged": lambda each: torch.optim.swa_utils.SWALR(each, swa_lr=0.3, anneal_epochs=20),
}


def rates_under(schedule, lowered_at, directory, *actions):
    """The learning rates of 30 steps; a NaN at a step lowers them."""
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    guard = guard_of((model, optimizer, scheduler := schedule(optimizer)), directory, *actions)
    rates = []
    for step in range(1, 31):
        optimizer.step()
        scheduler.step()
        guard.step(math.nan if step == lowered_at else 5 + step % 7 / 100)
        if step == 2:
            guard.save_checkpoint()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize("actions", [("lower-lr",), ("lower-lr", "rollback"), ("rollback", "lower-lr")])
@pytest.mark.parametrize("name", SCHEDULES)
def test_the_learning_rate_stays_lower_to_the_end_of_any_schedule(name, actions, tmp_path):
    usual = rates_under(SCHEDULES[name], None, tmp_path / "usual")
    lowered = rates_under(SCHEDULES[name], 5, tmp_path / "lowered", *actions)
    assert lowered[:4] == usual[:4]
    assert lowered[4:] == pytest.approx([rate / 2 for rate in usual[4:]])


def test_a_plateau_goes_on_from_the_lower_rate():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = schedules.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.9)
    policy = Policy(critical=("lower-lr",))
    guard = AudioLossGuard(policy=policy, optimizer=optimizer, scheduler=scheduler, jsonl=False)
    guard.step(math.nan)
    for _ in range(4):
        scheduler.step(5.0)
    assert optimizer.param_groups[0]["lr"] == 0.5  # its floor does not lift it


class Peaked(schedules.LRScheduler):
    """Computes from a number that only it knows."""

    def __init__(self, optimizer):
        self.peak_lr = 1.0
        super().__init__(optimizer)

    def get_lr(self):
        return [self.peak_lr for _ in self.base_lrs]


class Homemade:
    """No scheduler of torch."""

    def __init__(self, optimizer):
        self.optimizer = optimizer


@pytest.mark.parametrize(("kind", "why"), [(Peaked, "it computes from peak_lr"), (Homemade, "it has no base_lrs")])
def test_a_schedule_that_would_put_the_rate_back_is_named_and_nothing_is_changed(kind, why):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    policy = Policy(critical=("lower-lr",))
    guard = AudioLossGuard(policy=policy, optimizer=optimizer, scheduler=kind(optimizer), jsonl=False)
    guard.step(math.nan)
    (taken,) = guard.taken
    assert not taken.done
    assert f"{kind.__name__} would put the learning rate back: {why}" in taken.outcome
    assert optimizer.param_groups[0]["lr"] == 1.0
