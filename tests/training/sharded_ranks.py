"""One rank of a model that is spread over several, as FSDP2 does it."""

import math
import re
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from audioloss_cli.training import AudioLossGuard, Policy
from audioloss_cli.training.response.alert_context import ActionError

STEPS, SAVED, BROKEN = 12, 2, 6
REFUSED = "the model is sharded over the ranks, of which none has whole weights: give save= and restore= to the guard"


def sharded(directory: Path) -> AudioLossGuard:
    """Its gradient norm is a DTensor; rank 0 alone would write its own part as the whole, and all would read that."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1, bias=False)
    fully_shard(model, mesh=init_device_mesh("cpu", (dist.get_world_size(),)))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    policy = Policy(critical=("log", "rollback", "stop"))
    guard = AudioLossGuard(policy=policy, directory=directory, model=model, optimizer=optimizer)
    for step in range(1, STEPS + 1):
        loss = model(torch.randn(3, 4)).square().mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step == SAVED:
            (directory / "whole.pt").touch()  # of a loop that saves by itself
            guard.checkpoints.add(step, directory / "whole.pt")
            with pytest.raises(ActionError, match=re.escape(REFUSED)):
                guard.save_checkpoint(step)
        before = model.weight.full_tensor()
        guard.step(math.nan if step == BROKEN else 5 + loss.detach(), grad_norm=norm)
        assert torch.equal(model.weight.full_tensor(), before)
        if guard.should_stop:
            break
    guard.finish()
    guard.last_step = step
    return guard
