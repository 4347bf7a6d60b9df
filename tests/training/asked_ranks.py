"""Runs of several ranks whose losses tell only when many are seen together; one rank asks about them alone."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, Policy
from tests.training import loops

STEPS, EPOCH = 300, 20
POLICY = Policy(critical=("stop",), warning=("stop",))
SETTINGS = {"rules": {"chance-level": {"steps": 150}}}


def guessing(step: int) -> float:
    """A loss that stays at chance: there is an alert, but none of its losses looks like one."""
    return math.log(1026) + random.Random(step).uniform(0, 0.001)


def asked(directory: Path) -> AudioLossGuard:
    """Rank 0 alone shows what the guard knows, and saves it."""
    guard = AudioLossGuard(policy=POLICY, directory=directory, **SETTINGS)
    return watched(guard, lambda: (guard.monitor.diagnostics(), guard.monitors, guard.taken, guard.state_dict()))


def kept(directory: Path) -> AudioLossGuard:
    """Rank 0 alone writes a checkpoint, as loops do that know of no other rank."""
    guard = AudioLossGuard(policy=POLICY, directory=directory, save=lambda step: f"checkpoint-{step}", **SETTINGS)
    return watched(guard, guard.save_checkpoint)


def watched(guard: AudioLossGuard, alone: Callable[[], object]) -> AudioLossGuard:
    """A run that an alert ends on both ranks, whatever one of them does alone."""
    for step in range(1, STEPS + 1):
        guard.step(guessing(step))
        if dist.get_rank() == 0 and step % 5 == 0:
            alone()
        dist.all_reduce(torch.zeros(1))  # as the gradients: a rank that has left hangs the other
        if guard.should_stop:
            break
    guard.finish()
    guard.last_step = step
    return guard


class Guessing(torch.nn.Module):
    """Its loss is told by the number of calls."""

    def __init__(self) -> None:
        super().__init__()
        self.part, self.calls = torch.nn.Linear(2, 2), 0

    def forward(self, x):
        self.calls += 1
        told = self.part(x).sum()
        return {"loss": told - told.detach() + guessing(self.calls)}


class Ones(torch.utils.data.Dataset):
    def __len__(self):
        return 2 * EPOCH

    def __getitem__(self, index):
        return {"x": torch.ones(2)}


def saved(directory: Path) -> AudioLossGuard:
    """The Trainer saves at the end of each epoch, and asks rank 0 alone for the state."""
    callback = AudioLossCallback(POLICY, **SETTINGS)
    settings = {"ddp_backend": "gloo", "save_strategy": "epoch", "save_total_limit": 1, "logging_strategy": "no"}
    made = loops.InOrder(
        model=Guessing(),
        args=loops.arguments(directory, STEPS, ddp_find_unused_parameters=False, **settings),
        train_dataset=Ones(),
        callbacks=[callback],
    )
    made.train()
    callback.guard.last_step = made.state.global_step
    return callback.guard
